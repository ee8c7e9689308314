"""Discounts: a coupon at work on a subscription or a checkout, and what it takes off."""

from sandbox.stripe import coupons, periods
from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid
from sandbox.stripe.money import share
from sandbox.stripe.resource import Json, Resource


def named(account: Account, given: list[Json], customer: str | None, amount: int) -> list[tuple[Resource, Resource | None]]:
    """Return (coupon, promotion code) for each of ``discounts[]``; raise when one does not apply to this customer and amount."""
    found: list[tuple[Resource, Resource | None]] = []
    for place, each in enumerate(given):
        param = f"discounts[{place}][{'coupon' if each.get('coupon') else 'promotion_code'}]"
        code = account.table("promotion_code").get(each["promotion_code"], param) if each.get("promotion_code") else None
        if code is not None:
            check(account, code, customer, amount, param)
        identifier = code["promotion"]["coupon"] if code is not None else each.get("coupon")
        if not identifier:
            raise invalid("Pass a coupon or a promotion_code.", f"discounts[{place}]")
        found.append((coupons.redeemable(account.table("coupon").get(identifier, param), param), code))
    return found


def covers(coupon: Resource, products: set[str]) -> bool:
    """Tell whether a coupon is for one of the products; one without a list is for all."""
    return coupon.hidden["products"] is None or bool(products & set(coupon.hidden["products"]))


def check(account: Account, code: Resource, customer: str | None, amount: int, param: str) -> None:
    """Raise when a promotion code is not for this customer or this amount."""
    limits = code["restrictions"]
    if not code["active"]:
        raise invalid("This promotion code is not active.", param, "promotion_code_expired")
    if code["customer"] not in {None, customer}:
        raise invalid("This promotion code cannot be redeemed by this customer.", param)
    if limits["minimum_amount"] and amount < limits["minimum_amount"]:
        raise invalid("This promotion code needs a larger purchase.", param)
    bought = customer and any(row["status"] == "succeeded" for row in account.table("charge").where("customer", customer))
    if limits["first_time_transaction"] and bought:
        raise invalid("This promotion code is for a first purchase only.", param, "promotion_code_customer_not_first_time")


def start(account: Account, coupon: Resource, code: Resource | None, customer: str | None, **where: str | None) -> Resource:
    """Redeem a coupon: make the discount for a ``subscription`` or a ``checkout_session``."""
    now = account.now(customer)
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    row = Resource(
        {
            "id": account.ids.new("di"),
            "object": "discount",
            "checkout_session": where.get("checkout_session"),
            "customer": customer,
            "customer_account": None,
            "end": periods.plus(now, "month", months) if months else None,
            "invoice": None,
            "invoice_item": None,
            "promotion_code": code.id if code is not None else None,
            "source": {"coupon": coupon.id, "type": "coupon"},
            "start": now,
            "subscription": where.get("subscription"),
            "subscription_item": None,
        },
        {"coupon": coupon},
    )
    account.table("discount").add(row)
    coupons.redeem(account, coupon, code)
    return row


def off(coupon: Json, amount: int) -> int:
    """Return what a coupon takes off ``amount`` minor units."""
    if coupon["percent_off"] is not None:
        return share(amount, round(coupon["percent_off"] * 1000), 100_000)
    return min(amount, int(coupon["amount_off"]))


def take(account: Account, subscription: Resource, subtotal: int) -> list[Json]:
    """Return ``total_discount_amounts`` of the next invoice; a discount that is used up or over leaves the subscription."""
    taken: list[Json] = []
    for identifier in list(subscription["discounts"]):
        row = account.table("discount").get(identifier)
        coupon = row.hidden["coupon"]
        over = row["end"] is not None and account.now(row["customer"]) >= row["end"]
        if not over and subtotal > 0:
            amount = off(coupon, subtotal - sum(each["amount"] for each in taken))
            taken.append({"amount": amount, "discount": row.id})
        if over or (coupon["duration"] == "once" and subtotal > 0):
            subscription["discounts"].remove(identifier)
    return taken
