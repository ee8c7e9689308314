"""Prices, one-time and recurring: docs.stripe.com/api/prices."""

from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Handler, Route, get, listing, post
from sandbox.stripe.errors import ApiError, invalid, missing_parameter
from sandbox.stripe.money import check_currency
from sandbox.stripe.paginate import page
from sandbox.stripe.params import array, boolean, choice, currency, integer, merged, metadata, nested, text, unsettable
from sandbox.stripe.resource import Json, Resource

INTERVALS = ("day", "week", "month", "year")
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}
"""An interval may span three years at most."""

RECURRING = nested({"interval": choice(*INTERVALS), "interval_count": integer, "usage_type": choice("licensed")}, "interval")
DATA = {
    "currency": currency,
    "unit_amount": integer,
    "recurring": RECURRING,
    "metadata": metadata,
    "tax_behavior": choice("exclusive", "inclusive", "unspecified"),
}
"""What a price made on the way (default_price_data and the like) accepts; price_data has ``product`` or ``product_data`` too."""
PRODUCT_DATA = nested(
    {
        "name": text,
        "description": text,
        "images": array(text),
        "metadata": metadata,
        "active": boolean,
        "statement_descriptor": text,
        "unit_label": text,
    },
    "name",
)


def create(account: Account, params: Json) -> Resource:
    """Make a price of an existing product; raise when the amount or the interval is out of bounds."""
    check_currency(params["currency"])
    if "unit_amount" not in params:
        raise missing_parameter("unit_amount")
    if params["unit_amount"] < 0:
        raise ApiError("Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount")
    account.table("product").get(params["product"], "product")
    price = Resource(
        {
            "id": account.ids.new("price"),
            "object": "price",
            "active": params.get("active", True),
            "billing_scheme": "per_unit",
            "created": account.now(),
            "currency": params["currency"],
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": params.get("lookup_key"),
            "metadata": merged(None, params.get("metadata", {})),
            "nickname": params.get("nickname"),
            "product": params["product"],
            "recurring": _recurring(params.get("recurring")),
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring" if params.get("recurring") else "one_time",
            "unit_amount": params["unit_amount"],
            "unit_amount_decimal": str(params["unit_amount"]),
        }
    )
    _claim_lookup_key(account, params)
    account.table("price").add(price, product=price["product"], lookup_key=price["lookup_key"])
    account.emit("price.created", price)
    return price


def _recurring(recurring: Json | None) -> Json | None:
    if not recurring:
        return None
    count, interval = recurring.get("interval_count", 1), recurring["interval"]
    if not 1 <= count <= LONGEST[interval]:
        raise invalid(f"interval_count for {interval} must be between 1 and {LONGEST[interval]}", "recurring[interval_count]")
    return {"interval": interval, "interval_count": count, "meter": None, "trial_period_days": None, "usage_type": "licensed"}


def _claim_lookup_key(account: Account, params: Json) -> None:
    key = params.get("lookup_key")
    for holder in list(account.table("price").where("lookup_key", key)) if key else []:
        if not params.get("transfer_lookup_key"):
            raise invalid(f"A price (`{holder.id}`) already uses that lookup key.", "lookup_key", "resource_already_exists")
        account.table("price").unlink(holder, "lookup_key", key)
        with account.changing(holder, "price.updated"):
            holder["lookup_key"] = None


def sellable(account: Account, identifier: str, param: str) -> Resource:
    """Return a price that may be sold; raise when it, or its product, was archived."""
    price = account.table("price").get(identifier, param)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param)
    if not account.table("product").get(price["product"])["active"]:
        raise invalid(f"The product of this price, {price['product']}, is inactive and cannot be sold.", param)
    return price


def plan_of(price: Json) -> Json:
    """Render the legacy plan that subscription items still carry."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _update(call: Call) -> Json:
    price = call.get("price")
    with call.account.changing(price, "price.updated"):
        if "lookup_key" in call.params:
            call.account.table("price").unlink(price, "lookup_key", price["lookup_key"])
            _claim_lookup_key(call.account, call.params)
            call.account.table("price").link(price, "lookup_key", call.params["lookup_key"])
        price.update({key: call.params[key] for key in ("active", "nickname", "lookup_key", "tax_behavior") if key in call.params})
        if "metadata" in call.params:
            price["metadata"] = merged(price["metadata"], call.params["metadata"])
    return price


def _list(call: Call) -> Json:
    wanted, keys, recurring = call.params, call.params.get("lookup_keys"), call.params.get("recurring") or {}

    def keep(row: Resource) -> bool:
        shape = row["recurring"] or {}
        return (keys is None or row["lookup_key"] in keys) and all(shape.get(key) == value for key, value in recurring.items())

    filters = {key: wanted.get(key) for key in ("active", "currency", "product", "type")}
    return page(call, call.account.table("price"), keep, **filters)


FIELDS = {
    "active": boolean,
    "lookup_key": unsettable(text),
    "metadata": metadata,
    "nickname": unsettable(text),
    "tax_behavior": choice("exclusive", "inclusive", "unspecified"),
    "transfer_lookup_key": boolean,
}
FILTERS = {
    "active": boolean,
    "currency": currency,
    "lookup_keys": array(text),
    "product": text,
    "recurring": nested({"interval": choice(*INTERVALS), "usage_type": choice("licensed", "metered")}),
    "type": choice("one_time", "recurring"),
}
CREATION = {**FIELDS, **DATA, "product": text, "product_data": PRODUCT_DATA, "billing_scheme": choice("per_unit")}


def routes(create_with_product: Handler) -> list[Route]:
    """Return the routes; creation may make a product too, which is another module's work."""
    return [
        post("/v1/prices", create_with_product, CREATION, "currency"),
        listing("/v1/prices", _list, FILTERS),
        get("/v1/prices/*", lambda call: call.get("price")),
        post("/v1/prices/*", _update, FIELDS),
    ]
