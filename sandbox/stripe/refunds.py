"""Refunds, whole and in part: docs.stripe.com/api/refunds."""

from sandbox.stripe import cards, charges
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.errors import ApiError, invalid, missing_parameter
from sandbox.stripe.money import written
from sandbox.stripe.paginate import page
from sandbox.stripe.params import choice, integer, merged, metadata, text
from sandbox.stripe.resource import Json, Resource


def create(account: Account, charge: Resource, amount: int | None = None, reason: str | None = None, note: Json | None = None) -> Resource:
    """Give back ``amount`` minor units of a charge, or what is left of it."""
    left = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded":
        raise ApiError(f"Charge {charge.id} has not been paid, so it cannot be refunded.", code="charge_not_refundable", param="charge")
    if left == 0:
        raise ApiError(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded", param="charge")
    wanted = left if amount is None else amount
    if wanted < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if wanted > left:
        most = written(left, charge["currency"])
        raise invalid(
            f"Refund amount ({written(wanted, charge['currency'])}) is greater than unrefunded amount on charge ({most})", "amount"
        )
    refund = _refund(account, charge, wanted, reason, note)
    _settle_later(account, charge, refund)
    account.emit("refund.created", refund)
    with account.changing(charge, "charge.refunded"):
        charge["amount_refunded"] += wanted
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    return refund


def _refund(account: Account, charge: Resource, amount: int, reason: str | None, note: Json | None) -> Resource:
    refund = Resource(
        {
            "id": account.ids.new("re"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge.id,
            "created": account.now(charge["customer"]),
            "currency": charge["currency"],
            "customer": charge["customer"],
            "customer_account": None,
            "destination_details": {"type": charge["payment_method_details"]["type"]},
            "metadata": merged(None, note or {}),
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
        }
    )
    account.table("refund").add(refund, charge=charge.id, payment_intent=charge["payment_intent"])
    refund["balance_transaction"] = charges.entry(account, refund, -amount, "refund").id
    return refund


def _settle_later(account: Account, charge: Resource, refund: Resource) -> None:
    """Where the card has it so, have the refund go through, or fail, after a while."""
    method = account.table("payment_method").find(charge["payment_method"])
    means = method.hidden["means"] if method is not None else None
    if not isinstance(means, cards.Card) or means.refund == "at once":
        return
    timeline = account.timeline(charge["customer"])
    due = timeline.now() + account.policy.refund_settles_after
    if means.refund == "later":
        refund["status"] = "pending"
        timeline.schedule(due, lambda: _succeed(account, refund))
    else:
        timeline.schedule(due, lambda: _fail(account, charge, refund))


def _succeed(account: Account, refund: Resource) -> None:
    with account.changing(refund, "refund.updated"):
        refund["status"] = "succeeded"


def _fail(account: Account, charge: Resource, refund: Resource) -> None:
    """The money comes back to the account, and the charge counts as paid again."""
    with account.changing(refund, "refund.updated", "refund.failed"):
        refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    refund["failure_balance_transaction"] = charges.entry(account, refund, refund["amount"], "refund_failure").id


def paid_charge(account: Account, intent: Resource) -> Resource:
    """Return the charge that paid an intent; raise when none did."""
    for charge in account.table("charge").where("payment_intent", intent.id):
        if charge["status"] == "succeeded":
            return charge
    raise invalid("This PaymentIntent does not have a successful charge to refund.", "payment_intent")


def _create(call: Call) -> Json:
    charge, intent = call.named("charge", "charge"), call.named("payment_intent", "payment_intent")
    if charge is None and intent is None:
        raise missing_parameter("charge")
    if charge is None and intent is not None:
        charge = paid_charge(call.account, intent)
    elif charge is not None and intent is not None and charge["payment_intent"] != intent.id:
        raise invalid("This charge does not belong to that PaymentIntent.", "charge")
    given = call.params
    return create(call.account, charge or Resource({}), given.get("amount"), given.get("reason"), given.get("metadata"))


def _update(call: Call) -> Json:
    refund = call.get("refund")
    with call.account.changing(refund, "refund.updated"):
        refund["metadata"] = merged(refund["metadata"], call.params.get("metadata", {}))
    return refund


def _list(call: Call) -> Json:
    return page(call, call.account.table("refund"), charge=call.params.get("charge"), payment_intent=call.params.get("payment_intent"))


CREATION = {
    "amount": integer,
    "charge": text,
    "metadata": metadata,
    "payment_intent": text,
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
}
ROUTES: list[Route] = [
    post("/v1/refunds", _create, CREATION),
    listing("/v1/refunds", _list, {"charge": text, "payment_intent": text}),
    get("/v1/refunds/*", lambda call: call.get("refund")),
    post("/v1/refunds/*", _update, {"metadata": metadata}),
]
