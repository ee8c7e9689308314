"""Payment methods: docs.stripe.com/api/payment_methods."""

from sandbox.stripe import cards
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.cards import Card, Debit
from sandbox.stripe.errors import ApiError, invalid, missing_parameter
from sandbox.stripe.paginate import page
from sandbox.stripe.params import choice, integer, merged, metadata, nested, text, unsettable
from sandbox.stripe.resource import Json, Resource

NOWHERE: Json = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
EXPIRY = {"exp_month": 12, "exp_year": 2034}
CHECKS: Json = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}

ADDRESS = nested(dict.fromkeys(NOWHERE, unsettable(text)))
BILLING = nested({"address": ADDRESS, "email": unsettable(text), "name": unsettable(text), "phone": unsettable(text)})
CARD = nested({"number": text, "exp_month": integer, "exp_year": integer, "cvc": text, "token": text})
TOKENS = {f"tok_{name.removeprefix('pm_card_')}": number for name, number in cards.NAMED.items()}


def make(account: Account, means: Card | Debit, *, billing: Json | None = None, note: Json | None = None) -> Resource:
    """Make a payment method out of a test card or bank account, attached to nobody."""
    kind = "card" if isinstance(means, Card) else means.kind
    method = Resource(
        {
            "id": account.ids.new("pm"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": {"address": dict(NOWHERE), "email": None, "name": None, "phone": None, "tax_id": None, **(billing or {})},
            kind: _card(account, means) if isinstance(means, Card) else _debit(account, means),
            "created": account.now(),
            "customer": None,
            "livemode": False,
            "metadata": merged(None, note or {}),
            "type": kind,
        },
        {"means": means, "authenticated": False},
    )
    return account.table("payment_method").add(method)


def _card(account: Account, card: Card) -> Json:
    return {
        "brand": card.brand,
        "checks": dict(CHECKS),
        "country": "US",
        "display_brand": card.brand,
        **EXPIRY,
        "fingerprint": account.ids.token(16),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _debit(account: Account, debit: Debit) -> Json:
    shared: Json = {"fingerprint": account.ids.token(16), "last4": debit.last4}
    if debit.kind == "sepa_debit":
        generated = {"charge": None, "setup_attempt": None}
        return shared | {"bank_code": debit.number[4:12], "branch_code": "", "country": "DE", "generated_from": generated}
    return shared | {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "SANDBOX TEST BANK",
        "financial_connections_account": None,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }


def means_of(method: Resource) -> Card | Debit:
    """Return the test card or bank account behind a payment method."""
    means: Card | Debit = method.hidden["means"]
    return means


def resolve(account: Account, identifier: str, param: str = "payment_method") -> Resource:
    """Return the payment method; a name such as ``pm_card_visa`` stands for a new one."""
    if identifier in cards.NAMED:
        return make(account, cards.CARDS[cards.NAMED[identifier]])
    return account.table("payment_method").get(identifier, param)


def attach(account: Account, method: Resource, customer: str) -> None:
    """Give the payment method to a customer; it cannot change hands."""
    if method["customer"] == customer:
        return
    if method["customer"] is not None:
        raise invalid("The payment method you provided has already been attached to a customer.", "payment_method")
    method["customer"] = customer
    account.table("payment_method").link(method, "customer", customer)
    account.emit("payment_method.attached", method)


def described(method: Resource) -> Json:
    """Render ``payment_method_details`` of a charge."""
    kind, means = method["type"], method[method["type"]]
    if kind == "card":
        kept = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "checks")
        card: Json = {key: means[key] for key in kept}
        return {"card": card | {"installments": None, "mandate": None, "network": means["brand"], "wallet": None}, "type": "card"}
    kept = tuple(key for key in means if key not in {"generated_from", "networks", "status_details", "financial_connections_account"})
    return {kind: {key: means[key] for key in kept} | {"mandate": None}, "type": kind}


def _create(call: Call) -> Json:
    given = call.params.get("card")
    if not given:
        raise missing_parameter("card")
    number = TOKENS.get(given.get("token", ""), given.get("number", "")).replace(" ", "")
    card = cards.CARDS.get(number)
    if card is None:
        code = "card_declined" if number.isdecimal() and cards.luhn(number) else "incorrect_number"
        raise ApiError("Your card number is not one of the sandbox's test cards.", status=402, kind="card_error", code=code, param="number")
    return make(call.account, card, billing=call.params.get("billing_details"), note=call.params.get("metadata"))


def _attach(call: Call) -> Json:
    method = resolve(call.account, call.id, "id")
    call.named("customer", "customer")
    attach(call.account, method, call.params["customer"])
    return method


def _detach(call: Call) -> Json:
    method = call.get("payment_method")
    customer = method["customer"]
    if customer is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    call.account.table("payment_method").unlink(method, "customer", customer)
    with call.account.changing(method, "payment_method.detached"):
        method["customer"] = None
    settings = call.account.table("customer").get(customer)["invoice_settings"]
    if settings["default_payment_method"] == method.id:
        settings["default_payment_method"] = None
    return method


def _list(call: Call) -> Json:
    return page(call, call.account.table("payment_method"), customer=call.params.get("customer"), type=call.params.get("type"))


def _of_customer(call: Call) -> Json:
    call.get("customer")
    return page(call, call.account.table("payment_method"), customer=call.id, type=call.params.get("type"))


CREATION = {"type": choice("card"), "card": CARD, "billing_details": BILLING, "metadata": metadata}
ROUTES: list[Route] = [
    post("/v1/payment_methods", _create, CREATION, "type"),
    listing("/v1/payment_methods", _list, {"customer": text, "type": text}),
    get("/v1/payment_methods/*", lambda call: call.get("payment_method")),
    post("/v1/payment_methods/*/attach", _attach, {"customer": text}, "customer"),
    post("/v1/payment_methods/*/detach", _detach),
    listing("/v1/customers/*/payment_methods", _of_customer, {"type": text}),
]
