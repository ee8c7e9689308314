"""A payment with its charge, fee and refunds, put together from what Stripe keeps apart."""

from dataclasses import replace
from functools import partial

import stripe
from stripe.params import InvoicePaymentListParams, RefundListParams

from billing.stripe.caller import Caller
from billing.stripe.snapshots import KIND, REFERENCE, id_of, invoice_source, money, ours, refund_snapshot
from core.money import Money
from core.payments import PaymentSnapshot, RefundSnapshot

CHARGES = ("ch_", "py_")
REFUNDS = ("re_", "pyr_")


async def fetch_payment(call: Caller, external_id: str) -> PaymentSnapshot:
    """Fetch a payment by the id of its payment intent, its charge or a refund of it. Up to four calls: a charge names no invoice."""
    if external_id.startswith(REFUNDS):
        refund = await call(lambda options: call.v1.refunds.retrieve_async(external_id, options=options))
        external_id = id_of(refund.payment_intent) or id_of(refund.charge)
    if external_id.startswith(CHARGES):
        charge = await call(
            lambda options: call.v1.charges.retrieve_async(external_id, {"expand": ["balance_transaction", "refunds"]}, options)
        )
        if charge.payment_intent is None:
            return await _of_charge(call, charge)
        external_id = id_of(charge.payment_intent)
    intent = await call(
        lambda options: call.v1.payment_intents.retrieve_async(
            external_id, {"expand": ["latest_charge.balance_transaction", "latest_charge.refunds"]}, options
        )
    )
    snapshot = await _of_intent(call, intent)
    return snapshot if snapshot.reference else await _with_invoice(call, snapshot)


async def _of_intent(call: Caller, intent: stripe.PaymentIntent) -> PaymentSnapshot:
    charge = intent.latest_charge if isinstance(intent.latest_charge, stripe.Charge) else None
    return PaymentSnapshot(
        external_id=intent.id,
        status=intent.status,
        charge=id_of(intent.latest_charge),
        customer=id_of(intent.customer),
        reference=ours(intent.metadata, REFERENCE),
        kind=ours(intent.metadata, KIND),
        received=money(intent.amount_received, intent.currency),
        refunded=money(charge.amount_refunded if charge else 0, intent.currency),
        fee=_fee(charge),
        refunds=await _refunds(call, charge),
    )


async def _of_charge(call: Caller, charge: stripe.Charge) -> PaymentSnapshot:
    """A charge made without an intent, as old ones are: nothing of ours, but it may be asked about."""
    return PaymentSnapshot(
        external_id=charge.id,
        status=charge.status,
        charge=charge.id,
        customer=id_of(charge.customer),
        reference=ours(charge.metadata, REFERENCE),
        kind=ours(charge.metadata, KIND),
        received=money(charge.amount_captured, charge.currency),
        refunded=money(charge.amount_refunded, charge.currency),
        fee=_fee(charge),
        refunds=await _refunds(call, charge),
    )


def _fee(charge: stripe.Charge | None) -> Money | None:
    transaction = charge.balance_transaction if charge is not None else None
    return money(transaction.fee, transaction.currency) if isinstance(transaction, stripe.BalanceTransaction) else None


async def _refunds(call: Caller, charge: stripe.Charge | None) -> tuple[RefundSnapshot, ...]:
    """A charge carries its latest refunds only; the rest is asked for."""
    held = charge.refunds if charge is not None and "refunds" in charge else None
    if charge is None or held is None:
        return ()
    if not held.has_more:
        return tuple(refund_snapshot(refund) for refund in held.data)

    async def fetch(charge_id: str, after: str, options: stripe.RequestOptions) -> stripe.ListObject[stripe.Refund]:
        params: RefundListParams = {"charge": charge_id, "limit": 100}
        if after:
            params["starting_after"] = after
        return await call.v1.refunds.list_async(params, options)

    return tuple([refund_snapshot(refund) async for refund in call.pages(partial(fetch, charge.id))])


async def _with_invoice(call: Caller, snapshot: PaymentSnapshot) -> PaymentSnapshot:
    """What is paid through an invoice carries no mark of ours: its subscription does."""
    params: InvoicePaymentListParams = {
        "payment": {"type": "payment_intent", "payment_intent": snapshot.external_id},
        "expand": ["data.invoice"],
    }
    found = await call(lambda options: call.v1.invoice_payments.list_async(params, options))
    for paid in found.data:
        if isinstance(paid.invoice, stripe.Invoice):
            subscription, reference, kind = invoice_source(paid.invoice)
            return replace(snapshot, invoice=paid.invoice.id, subscription=subscription, reference=reference, kind=kind)
    return snapshot
