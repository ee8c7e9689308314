"""A payment with its charge, fee and refunds, put together from what Stripe keeps apart."""

from dataclasses import replace
from functools import partial

import stripe
from stripe.params import RefundListParams

from billing.stripe.caller import Caller
from billing.stripe.snapshots import KIND, REFERENCE, Fields, field, id_of, invoice_source, money, ours, refund_snapshot
from core.money import Money
from core.payments import InvoiceSnapshot, PaymentSnapshot, RefundSnapshot

CHARGES = ("ch_", "py_")
REFUNDS = ("re_", "pyr_")


async def fetch_payment(call: Caller, external_id: str, of: InvoiceSnapshot | None = None) -> PaymentSnapshot:
    """Fetch a payment by the id of its payment intent, its charge or a refund of it; ``of`` is the invoice it paid, where that is known.

    Up to four calls: a charge names no intent, an intent no invoice.
    """
    if external_id.startswith(REFUNDS):
        refund = await call.get("refunds", external_id)
        external_id = id_of(field(refund, "payment_intent")) or id_of(field(refund, "charge"))
    if external_id.startswith(CHARGES):
        charge = await call.get("charges", external_id, expand=["balance_transaction", "refunds"])
        if field(charge, "payment_intent") is None:
            return await _of_charge(call, charge)
        external_id = id_of(charge["payment_intent"])
    intent = await call.get("payment_intents", external_id, expand=["latest_charge.balance_transaction", "latest_charge.refunds"])
    snapshot = await _of_intent(call, intent)
    if snapshot.reference:
        return snapshot
    if of is not None:
        return replace(snapshot, invoice=of.external_id, subscription=of.subscription, reference=of.reference, kind=of.kind)
    return await _with_invoice(call, snapshot)


async def _of_intent(call: Caller, intent: Fields) -> PaymentSnapshot:
    latest, currency = field(intent, "latest_charge"), intent["currency"]
    charge: Fields | None = None if isinstance(latest, str) else latest
    return PaymentSnapshot(
        external_id=intent["id"],
        status=intent["status"],
        charge=id_of(latest),
        customer=id_of(field(intent, "customer")),
        reference=ours(field(intent, "metadata"), REFERENCE),
        kind=ours(field(intent, "metadata"), KIND),
        received=money(field(intent, "amount_received"), currency),
        refunded=money(charge["amount_refunded"] if charge is not None else 0, currency),
        fee=_fee(charge),
        refunds=await _refunds(call, charge),
    )


async def _of_charge(call: Caller, charge: Fields) -> PaymentSnapshot:
    """A charge made without an intent, as old ones are: nothing of ours, but it may be asked about."""
    return PaymentSnapshot(
        external_id=charge["id"],
        status=charge["status"],
        charge=charge["id"],
        customer=id_of(field(charge, "customer")),
        reference=ours(field(charge, "metadata"), REFERENCE),
        kind=ours(field(charge, "metadata"), KIND),
        received=money(charge["amount_captured"], charge["currency"]),
        refunded=money(charge["amount_refunded"], charge["currency"]),
        fee=_fee(charge),
        refunds=await _refunds(call, charge),
    )


def _fee(charge: Fields | None) -> Money | None:
    transaction = field(charge, "balance_transaction") if charge is not None else None
    return None if transaction is None or isinstance(transaction, str) else money(transaction["fee"], transaction["currency"])


async def _refunds(call: Caller, charge: Fields | None) -> tuple[RefundSnapshot, ...]:
    """A charge carries its latest refunds only; the rest is asked for."""
    held = field(charge, "refunds") if charge is not None else None
    if charge is None or held is None:
        return ()
    if not held["has_more"]:
        return tuple(refund_snapshot(refund) for refund in held["data"])

    async def fetch(charge_id: str, after: str, options: stripe.RequestOptions) -> stripe.ListObject[stripe.Refund]:
        params: RefundListParams = {"charge": charge_id, "limit": 100}
        if after:
            params["starting_after"] = after
        return await call.v1.refunds.list_async(params, options)

    return tuple([refund_snapshot(refund) async for refund in call.pages(partial(fetch, charge["id"]))])


async def _with_invoice(call: Caller, snapshot: PaymentSnapshot) -> PaymentSnapshot:
    """What is paid through an invoice carries no mark of ours: its subscription does."""
    payment = {"type": "payment_intent", "payment_intent": snapshot.external_id}
    found = await call.get("invoice_payments", payment=payment, expand=["data.invoice"])
    for paid in found["data"]:
        invoice = field(paid, "invoice")
        if invoice is not None and not isinstance(invoice, str):
            subscription, reference, kind = invoice_source(invoice)
            return replace(snapshot, invoice=invoice["id"], subscription=subscription, reference=reference, kind=kind)
    return snapshot
