"""Charges, and the balance transactions that say what the vendor kept: docs.stripe.com/api/charges."""

from sandbox.stripe import cards, money, payment_methods
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.paginate import page
from sandbox.stripe.params import merged, metadata, text, unsettable
from sandbox.stripe.resource import Json, Resource


def create(account: Account, intent: Resource, method: Resource, status: str, decline: str | None = None) -> Resource:
    """Make the charge of one attempt on ``intent``: ``succeeded``, ``pending`` or ``failed`` with a decline code."""
    paid = status == "succeeded"
    charge = Resource(
        {
            "id": account.ids.new("ch" if method["type"] == "card" else "py"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if paid else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": dict(method["billing_details"]),
            "calculated_statement_descriptor": account.name.upper(),
            "captured": paid,
            "created": account.now(intent["customer"]),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": None,
            "paid": status != "failed",
            "payment_intent": intent.id,
            "payment_method": method.id,
            "payment_method_details": payment_methods.described(method),
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": status,
            "transfer_data": None,
            "transfer_group": None,
        }
    )
    account.table("charge").add(charge, customer=charge["customer"], payment_intent=intent.id)
    _conclude(account, charge, decline)
    account.emit(f"charge.{status}", charge)
    return charge


def settle(account: Account, charge: Resource, decline: str | None = None) -> None:
    """End a pending charge."""
    with account.changing(charge, "charge.failed" if decline else "charge.succeeded"):
        charge |= {"status": "failed" if decline else "succeeded", "paid": decline is None, "captured": decline is None}
        charge["amount_captured"] = 0 if decline else charge["amount"]
        _conclude(account, charge, decline)


def _conclude(account: Account, charge: Resource, decline: str | None) -> None:
    if charge["status"] == "pending":
        return
    if decline is None:
        charge["outcome"] = _outcome("authorized", "approved_by_network", "Payment complete.")
        charge["balance_transaction"] = entry(account, charge, charge["amount"], "charge").id
        charge["receipt_url"] = f"{account.page_base}/receipts/{charge.id}"
        return
    charge["failure_code"], charge["failure_message"] = cards.code(decline), cards.message(decline)
    said = "The bank did not return any further details with this decline."
    charge["outcome"] = _outcome("issuer_declined", "declined_by_network", said) | {"reason": decline}


def _outcome(kind: str, network: str, said: str) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": said,
        "type": kind,
    }


def entry(account: Account, source: Resource, amount: int, kind: str, *, fee: int | None = None) -> Resource:
    """Book a payment or a refund (negative) on the account's balance; a payment costs the fee, a refund does not give it back."""
    if fee is None:
        fee = money.fee(amount, account.policy) if amount > 0 else 0
    timeline = account.timeline(source["customer"])
    details = {"amount": fee, "application": None, "currency": source["currency"], "description": "Processing fees", "type": "stripe_fee"}
    shown = {
        "id": account.ids.new("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": timeline.now() + account.policy.funds_available_after,
        "balance_type": "payments",
        "created": timeline.now(),
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source.id,
        "status": "pending",
        "type": kind,
    }
    booked = account.table("balance_transaction").add(Resource(shown), source=source.id, type=kind)
    timeline.schedule(shown["available_on"], lambda: booked.update(status="available"))
    return booked


def _update(call: Call) -> Json:
    charge = call.get("charge")
    with call.account.changing(charge, "charge.updated"):
        charge.update({key: call.params[key] for key in ("description", "receipt_email") if key in call.params})
        if "metadata" in call.params:
            charge["metadata"] = merged(charge["metadata"], call.params["metadata"])
    return charge


def _list(call: Call) -> Json:
    return page(
        call,
        call.account.table("charge"),
        customer=call.params.get("customer"),
        payment_intent=call.params.get("payment_intent"),
    )


def _entries(call: Call) -> Json:
    filters = {key: call.params.get(key) for key in ("source", "type", "currency")}
    return page(call, call.account.table("balance_transaction"), **filters)


ROUTES: list[Route] = [
    listing("/v1/charges", _list, {"customer": text, "payment_intent": text}),
    get("/v1/charges/*", lambda call: call.get("charge")),
    post("/v1/charges/*", _update, {"description": unsettable(text), "metadata": metadata, "receipt_email": text}),
    listing("/v1/balance_transactions", _entries, {"source": text, "type": text, "currency": text}),
    get("/v1/balance_transactions/*", lambda call: call.get("balance_transaction")),
]
