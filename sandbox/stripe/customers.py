"""Customers and their credit balance: docs.stripe.com/api/customers."""

from sandbox.stripe import payment_methods
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.errors import invalid
from sandbox.stripe.paginate import page
from sandbox.stripe.params import array, choice, currency, integer, merged, metadata, nested, text, unsettable
from sandbox.stripe.payment_methods import ADDRESS
from sandbox.stripe.resource import Json, Resource

SETTINGS = nested({"default_payment_method": unsettable(text), "footer": unsettable(text)})
FIELDS = {
    "address": unsettable(ADDRESS),
    "description": unsettable(text),
    "email": unsettable(text),
    "invoice_prefix": text,
    "invoice_settings": SETTINGS,
    "metadata": metadata,
    "name": unsettable(text),
    "phone": unsettable(text),
    "preferred_locales": array(text),
    "shipping": unsettable(nested({"address": ADDRESS, "name": text, "phone": text})),
    "tax_exempt": choice("none", "exempt", "reverse"),
}
PLAIN = ("address", "description", "email", "invoice_prefix", "name", "phone", "preferred_locales", "shipping", "tax_exempt")


def create(account: Account, params: Json) -> Resource:
    """Make a customer."""
    clock = params.get("test_clock")
    if clock:
        account.table("test_helpers.test_clock").get(clock, "test_clock")
    customer = Resource(
        {
            "id": account.ids.new("cus", 14),
            "object": "customer",
            "address": None,
            "balance": 0,
            "created": account.clocks[clock].now() if clock else account.now(),
            "currency": None,
            "customer_account": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": None,
            "invoice_prefix": account.ids.token(8).upper(),
            "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None},
            "livemode": False,
            "metadata": merged(None, params.get("metadata", {})),
            "name": None,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": clock,
        }
        | {key: params[key] for key in PLAIN if key in params}
    )
    table = account.table("customer")
    table.add(customer, email=customer["email"], test_clock=clock)
    if "payment_method" in params:
        payment_methods.attach(account, payment_methods.resolve(account, params["payment_method"]), customer.id)
    _apply_settings(account, customer, params)
    account.emit("customer.created", customer)
    return customer


def _apply_settings(account: Account, customer: Resource, params: Json) -> None:
    for key, value in params.get("invoice_settings", {}).items():
        if key == "default_payment_method" and value is not None:
            method = account.table("payment_method").get(value, "invoice_settings[default_payment_method]")
            if method["customer"] != customer.id:
                raise invalid(
                    "The customer does not have a payment method with the ID " + value + ". The payment method must be attached first.",
                    "invoice_settings[default_payment_method]",
                    "resource_missing",
                )
        customer["invoice_settings"][key] = value


def alive(account: Account, identifier: str, param: str = "customer") -> Resource:
    """Return a customer that was not deleted."""
    customer = account.table("customer").get(identifier, param)
    if customer.hidden.get("deleted"):
        raise invalid(f"No such customer: '{identifier}'", param, "resource_missing")
    return customer


def check_currency(customer: Resource, currency: str, param: str) -> None:
    """Refuse a second currency for what a customer is charged again and again (docs.stripe.com/billing/customer)."""
    if customer["currency"] not in {None, currency}:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or invoice item with "
            f"currency {customer['currency']}",
            param,
        )


def use_card(account: Account, customer: Resource, method: Resource) -> None:
    """Attach a payment method and make it the customer's default for invoices."""
    payment_methods.attach(account, method, customer.id)
    with account.changing(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method.id


def adjust_balance(account: Account, customer: Resource, amount: int, kind: str, **facts: object) -> Resource:
    """Add ``amount`` minor units to the balance (negative is credit) and record why."""
    with account.changing(customer, "customer.updated"):
        customer["balance"] += amount
        customer["currency"] = customer["currency"] or facts.get("currency")
    shown = {
        "id": account.ids.new("cbtxn"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": account.now(customer.id),
        "credit_note": None,
        "currency": customer["currency"],
        "customer": customer.id,
        "customer_account": None,
        "description": facts.get("description"),
        "ending_balance": customer["balance"],
        "invoice": facts.get("invoice"),
        "livemode": False,
        "metadata": facts.get("metadata") or {},
        "type": kind,
    }
    return account.table("customer_balance_transaction").add(Resource(shown), customer=customer.id)


def _credit(call: Call) -> Json:
    customer = alive(call.account, call.id, "id")
    given = {key: call.params.get(key) for key in ("currency", "description", "metadata")}
    if customer["currency"] not in {None, given["currency"]}:
        raise invalid(f"This customer's currency is {customer['currency']}.", "currency")
    return adjust_balance(call.account, customer, call.params["amount"], "adjustment", **given)


def _update(call: Call) -> Json:
    customer = alive(call.account, call.id, "id")
    with call.account.changing(customer, "customer.updated"):
        if "email" in call.params:
            call.account.table("customer").unlink(customer, "email", customer["email"])
            call.account.table("customer").link(customer, "email", call.params["email"])
        customer.update({key: call.params[key] for key in PLAIN if key in call.params})
        _apply_settings(call.account, customer, call.params)
        if "metadata" in call.params:
            customer["metadata"] = merged(customer["metadata"], call.params["metadata"])
    return customer


def _retrieve(call: Call) -> Json:
    customer = call.get("customer")
    return {"id": customer.id, "object": "customer", "deleted": True} if customer.hidden.get("deleted") else customer


def _list(call: Call) -> Json:
    def alive_still(row: Resource) -> bool:
        return not row.hidden.get("deleted")

    return page(call, call.account.table("customer"), alive_still, email=call.params.get("email"), test_clock=call.params.get("test_clock"))


def _balance(call: Call) -> Json:
    call.get("customer")
    return page(call, call.account.table("customer_balance_transaction"), customer=call.id)


BALANCE = {"amount": integer, "currency": currency, "description": text, "metadata": metadata}
CREATION = {**FIELDS, "payment_method": text, "test_clock": text}
ROUTES: list[Route] = [
    post("/v1/customers", lambda call: create(call.account, call.params), CREATION),
    listing("/v1/customers", _list, {"email": text, "test_clock": text}),
    get("/v1/customers/*", _retrieve),
    post("/v1/customers/*", _update, FIELDS),
    post("/v1/customers/*/balance_transactions", _credit, BALANCE, "amount", "currency"),
    listing("/v1/customers/*/balance_transactions", _balance),
]
