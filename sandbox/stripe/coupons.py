"""Coupons and promotion codes: docs.stripe.com/api/coupons, docs.stripe.com/api/promotion_codes."""

from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, delete, get, listing, post
from sandbox.stripe.errors import ApiError, invalid, missing_parameter
from sandbox.stripe.paginate import page
from sandbox.stripe.params import array, boolean, choice, currency, decimal, integer, merged, metadata, nested, text, unsettable
from sandbox.stripe.resource import Json, Resource

MAX_CODE = 500


def _create(call: Call) -> Json:
    account, given = call.account, call.params
    if ("percent_off" in given) == ("amount_off" in given):
        raise invalid("You must pass exactly one of percent_off and amount_off.", "percent_off")
    if "amount_off" in given and "currency" not in given:
        raise missing_parameter("currency")
    if not 0 < given.get("percent_off", 1) <= 100:  # noqa: PLR2004 - percent
        raise invalid("Invalid percent_off: must be greater than 0 and at most 100", "percent_off")
    if given.get("duration", "once") == "repeating" and "duration_in_months" not in given:
        raise missing_parameter("duration_in_months")
    coupon = Resource(
        {
            "id": given.get("id") or account.ids.token(8),
            "object": "coupon",
            "amount_off": given.get("amount_off"),
            "created": account.now(),
            "currency": given.get("currency") if "amount_off" in given else None,
            "duration": given.get("duration", "once"),
            "duration_in_months": given.get("duration_in_months"),
            "livemode": False,
            "max_redemptions": given.get("max_redemptions"),
            "metadata": merged(None, given.get("metadata", {})),
            "name": given.get("name"),
            "percent_off": given.get("percent_off"),
            "redeem_by": given.get("redeem_by"),
            "times_redeemed": 0,
            "valid": True,
        },
        {"products": given.get("applies_to", {}).get("products")},
    )
    if account.table("coupon").find(coupon.id):
        raise ApiError("Coupon already exists.", code="resource_already_exists", param="id")
    account.table("coupon").add(coupon)
    if coupon["redeem_by"]:
        account.main.schedule(coupon["redeem_by"], lambda: coupon.update(valid=False))
    account.emit("coupon.created", coupon)
    return coupon


def _update(call: Call) -> Json:
    coupon = call.get("coupon")
    with call.account.changing(coupon, "coupon.updated"):
        coupon.update({"name": call.params["name"]} if "name" in call.params else {})
        coupon["metadata"] = merged(coupon["metadata"], call.params.get("metadata", {}))
    return coupon


def _delete(call: Call) -> Json:
    coupon = call.get("coupon")
    coupon["valid"] = False
    call.account.table("coupon").remove(coupon)
    call.account.emit("coupon.deleted", coupon)
    return {"id": coupon.id, "object": "coupon", "deleted": True}


def redeemable(coupon: Resource, param: str) -> Resource:
    """Return the coupon; raise when it is expired or used up."""
    if not coupon["valid"]:
        raise invalid(f"Coupon {coupon.id} is used up or expired and cannot be applied.", param, "coupon_expired")
    return coupon


def promotion(account: Account, code: str, customer: str | None = None) -> Resource:
    """Return the active promotion code a person typed, in whatever case; raise when there is none for them."""
    for row in account.table("promotion_code").where("code", code.strip().upper()):
        if row["active"] and row["customer"] in {None, customer}:
            return row
    raise invalid("This code is invalid.", "promotion_code", "promotion_code_invalid")


def redeem(account: Account, coupon: Resource, code: Resource | None) -> None:
    """Count a redemption; the last one ends the coupon and the code."""
    with account.changing(coupon, "coupon.updated"):
        coupon["times_redeemed"] += 1
        coupon["valid"] &= coupon["max_redemptions"] is None or coupon["times_redeemed"] < coupon["max_redemptions"]
    if code is not None:
        with account.changing(code, "promotion_code.updated"):
            code["times_redeemed"] += 1
            code["active"] &= code["max_redemptions"] is None or code["times_redeemed"] < code["max_redemptions"]


def _create_code(call: Call) -> Json:
    account, given = call.account, call.params
    if "coupon" not in given["promotion"]:
        raise missing_parameter("promotion[coupon]")
    coupon = redeemable(account.table("coupon").get(given["promotion"]["coupon"], "promotion[coupon]"), "promotion[coupon]")
    code = given.get("code") or account.ids.token(8).upper()
    if not code.replace("-", "").isalnum() or not code.isascii() or len(code) > MAX_CODE:
        raise invalid("Promotion codes may hold the letters a-z and A-Z, the digits 0-9 and the hyphen.", "code")
    if any(row["active"] for row in account.table("promotion_code").where("code", code.upper())):
        raise invalid(f"An active promotion code with code {code} already exists.", "code", "resource_already_exists")
    limits = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    row = Resource(
        {
            "id": account.ids.new("promo"),
            "object": "promotion_code",
            "active": given.get("active", True),
            "code": code,
            "created": account.now(),
            "customer": given.get("customer"),
            "customer_account": None,
            "expires_at": given.get("expires_at"),
            "livemode": False,
            "max_redemptions": given.get("max_redemptions"),
            "metadata": merged(None, given.get("metadata", {})),
            "promotion": {"coupon": coupon.id, "type": "coupon"},
            "restrictions": limits | given.get("restrictions", {}),
            "times_redeemed": 0,
        }
    )
    account.table("promotion_code").add(row, code=code.upper(), coupon=coupon.id)
    if row["expires_at"]:
        account.main.schedule(row["expires_at"], lambda: row.update(active=False))
    account.emit("promotion_code.created", row)
    return row


def _update_code(call: Call) -> Json:
    row = call.get("promotion_code")
    with call.account.changing(row, "promotion_code.updated"):
        row["active"] = call.params.get("active", row["active"])
        row["metadata"] = merged(row["metadata"], call.params.get("metadata", {}))
    return row


def _list_codes(call: Call) -> Json:
    code = call.params.get("code")
    filters = {key: call.params.get(key) for key in ("active", "coupon", "customer")}
    return page(call, call.account.table("promotion_code"), code=code.upper() if code else None, **filters)


COUPON = {
    "amount_off": integer,
    "applies_to": nested({"products": array(text)}),
    "currency": currency,
    "duration": choice("forever", "once", "repeating"),
    "duration_in_months": integer,
    "id": text,
    "max_redemptions": integer,
    "metadata": metadata,
    "name": text,
    "percent_off": decimal,
    "redeem_by": integer,
}
RESTRICTIONS = nested({"first_time_transaction": boolean, "minimum_amount": integer, "minimum_amount_currency": currency})
CODE = {
    "active": boolean,
    "code": text,
    "customer": text,
    "expires_at": integer,
    "max_redemptions": integer,
    "metadata": metadata,
    "promotion": nested({"type": choice("coupon"), "coupon": text}, "type"),
    "restrictions": RESTRICTIONS,
}
ROUTES: list[Route] = [
    post("/v1/coupons", _create, COUPON),
    listing("/v1/coupons", lambda call: page(call, call.account.table("coupon"))),
    get("/v1/coupons/*", lambda call: call.get("coupon")),
    post("/v1/coupons/*", _update, {"name": unsettable(text), "metadata": metadata}),
    delete("/v1/coupons/*", _delete),
    post("/v1/promotion_codes", _create_code, CODE, "promotion"),
    listing("/v1/promotion_codes", _list_codes, {"active": boolean, "code": text, "coupon": text, "customer": text}),
    get("/v1/promotion_codes/*", lambda call: call.get("promotion_code")),
    post("/v1/promotion_codes/*", _update_code, {"active": boolean, "metadata": metadata}),
]
