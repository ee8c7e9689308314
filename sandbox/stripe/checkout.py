"""Checkout Sessions: docs.stripe.com/api/checkout/sessions. Paying on one is :mod:`checkout_payment`."""

from sandbox.stripe import checkout_shape, customers, discounts, money, prices, products
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.checkout_params import CREATION, FILTERS
from sandbox.stripe.errors import ApiError, invalid, missing_parameter
from sandbox.stripe.paginate import page
from sandbox.stripe.params import merged, metadata
from sandbox.stripe.resource import Json, Resource, list_of

SOONEST, LATEST = 30 * 60, 24 * 3600
MOST_ITEMS = {"payment": 100, "subscription": 20}
NOT_IN = {
    "payment": ("subscription_data", "payment_method_collection"),
    "subscription": ("payment_intent_data", "customer_creation", "invoice_creation"),
}


def create(account: Account, params: Json) -> Resource:
    """Make a session and the page a person pays on."""
    mode = params.get("mode", "payment")
    _check(params, mode)
    customer = customers.alive(account, params["customer"]) if params.get("customer") else None
    items = _line_items(account, params.get("line_items") or [], mode)
    currency, subtotal = items[0]["currency"], sum(item["amount_subtotal"] for item in items)
    if customer is not None and mode == "subscription":
        customers.check_currency(customer, currency, "line_items")
    redeemed = discounts.named(account, params.get("discounts") or [], params.get("customer"), subtotal)
    now = account.now(params.get("customer"))
    expires = params.get("expires_at", now + account.policy.session_expires_after)
    if not now + SOONEST - 60 <= expires <= now + LATEST + 60:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.", "expires_at")
    session = Resource(
        checkout_shape.new_session(account, params, mode, now) | {"currency": currency, "expires_at": expires},
        {"line_items": items, "params": params, "redeemed": redeemed, "customer": params.get("customer")},
    )
    session["url"] = f"{account.page_base}/c/pay/{session.id}"
    session["discounts"] = [{"coupon": coupon.id, "promotion_code": code.id if code else None} for coupon, code in redeemed]
    price(session)
    if mode == "payment" and session["amount_total"]:
        money.check_charge(session["amount_total"], currency, "line_items")
    account.table("checkout.session").add(session, customer=session["customer"])
    account.timeline(session["customer"]).schedule(expires, lambda: _expire_when_due(account, session))
    return session


def _check(params: Json, mode: str) -> None:
    for name in NOT_IN[mode]:
        if name in params:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    _check_urls(params)
    _check_together(params)
    if not params.get("line_items"):
        raise missing_parameter("line_items")
    if len(params["line_items"]) > MOST_ITEMS[mode]:
        raise invalid(f"A session in {mode} mode can have at most {MOST_ITEMS[mode]} line items.", "line_items")


def _check_together(params: Json) -> None:
    if params.get("customer") and params.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer_email")
    if params.get("allow_promotion_codes") and params.get("discounts"):
        raise invalid("You may only specify one of these parameters: allow_promotion_codes, discounts.", "discounts")
    if len(params.get("discounts") or []) > 1:
        raise invalid("A Checkout Session can have one discount only.", "discounts")


def _check_urls(params: Json) -> None:
    if not params.get("success_url"):
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        if params.get(name) and not params[name].startswith(("http://", "https://")):
            raise ApiError("Not a valid URL", code="url_invalid", param=name)


def _line_items(account: Account, given: list[Json], mode: str) -> list[Json]:
    made = [_line_item(account, each, f"line_items[{place}]") for place, each in enumerate(given)]
    if len({item["currency"] for item in made}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    recurring = [item["price"]["type"] == "recurring" for item in made]
    if mode == "payment" and any(recurring):
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
            "line_items",
        )
    if mode == "subscription" and not all(recurring):
        raise invalid("You must provide recurring prices only in `subscription` mode in this sandbox.", "line_items")
    return made


def _line_item(account: Account, given: Json, param: str) -> Json:
    if ("price" in given) == ("price_data" in given):
        raise missing_parameter(f"{param}[price]") if "price" not in given else invalid("Pass either price or price_data.", param)
    if "price" in given:
        found = prices.sellable(account, given["price"], f"{param}[price]")
    else:
        found = products.price_of(account, given["price_data"], f"{param}[price_data]")
    quantity = given.get("quantity", 1)
    if quantity < 1:
        raise invalid("Invalid positive integer", f"{param}[quantity]", "parameter_invalid_integer")
    amount = found["unit_amount"] * quantity
    return {
        "id": account.ids.new("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": found["currency"],
        "description": account.table("product").get(found["product"])["name"],
        "metadata": merged(None, given.get("metadata", {})),
        "price": found,
        "quantity": quantity,
    }


def price(session: Resource) -> None:
    """Compute what the session costs now: the items, less the discount; a trial costs nothing today."""
    items = session.hidden["line_items"]
    subtotal = sum(item["amount_subtotal"] for item in items)
    taken = 0
    for coupon, _ in session.hidden["redeemed"]:
        taken += discounts.off(coupon, subtotal - taken)
    left = taken
    for place, item in enumerate(items, 1):
        part = left if place == len(items) else min(left, money.share(taken, item["amount_subtotal"], max(1, subtotal)))
        left -= part
        item |= {"amount_discount": part, "amount_total": item["amount_subtotal"] - part}
    data = session.hidden["params"].get("subscription_data") or {}
    free = bool(data.get("trial_period_days") or data.get("trial_end"))
    session["amount_subtotal"], session["amount_total"] = (0, 0) if free else (subtotal, subtotal - taken)
    session["total_details"] = {"amount_discount": 0 if free else taken, "amount_shipping": 0, "amount_tax": 0}


def expire(account: Account, session: Resource) -> None:
    """Close an open session for good."""
    session |= {"status": "expired", "url": None}
    account.emit("checkout.session.expired", session)


def _expire_when_due(account: Account, session: Resource) -> None:
    if session["status"] == "open":
        expire(account, session)


def _expire_call(call: Call) -> Json:
    session = call.get("checkout.session")
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of {session["status"]}.'
        )
    expire(call.account, session)
    return session


def _update(call: Call) -> Json:
    session = call.get("checkout.session")
    session["metadata"] = merged(session["metadata"], call.params.get("metadata", {}))
    return session


def _list(call: Call) -> Json:
    filters = {key: call.params.get(key) for key in ("customer", "payment_intent", "subscription", "status")}
    email = (call.params.get("customer_details") or {}).get("email")
    return page(
        call,
        call.account.table("checkout.session"),
        lambda row: email is None or (row["customer_details"] or {}).get("email") == email,
        **filters,
    )


def _items(call: Call) -> Json:
    return list_of(call.path, list(call.get("checkout.session").hidden["line_items"]))


ROUTES: list[Route] = [
    post("/v1/checkout/sessions", lambda call: create(call.account, call.params), CREATION),
    listing("/v1/checkout/sessions", _list, FILTERS),
    get("/v1/checkout/sessions/*", lambda call: call.get("checkout.session")),
    post("/v1/checkout/sessions/*", _update, {"metadata": metadata}),
    post("/v1/checkout/sessions/*/expire", _expire_call),
    listing("/v1/checkout/sessions/*/line_items", _items),
]
