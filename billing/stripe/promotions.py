"""Coupons and the codes they are typed as: docs.stripe.com/api/coupons, docs.stripe.com/api/promotion_codes."""

import stripe
from stripe.params import CouponCreateParams, PromotionCodeCreateParams

from billing.stripe.caller import Caller
from core.promotions import CodeTerms, Discount, Promotion


async def create_coupon(call: Caller, discount: Discount, key: str) -> str:
    """Make a coupon and return its id."""
    params = coupon_params(discount)
    return (await call(lambda options: call.v1.coupons.create_async(params, options), key=f"{key}:coupon")).id


async def create_code(call: Caller, discount: Discount, terms: CodeTerms, key: str) -> tuple[str, str]:
    """Make a coupon and its code, each under a key of its own: a crash in between is made up for by asking again."""
    coupon = await create_coupon(call, discount, key)
    params: PromotionCodeCreateParams = {"promotion": {"type": "coupon", "coupon": coupon}, "code": terms.code}
    if terms.max_uses is not None:
        params["max_redemptions"] = terms.max_uses
    if terms.expires_at is not None:
        params["expires_at"] = int(terms.expires_at.timestamp())
    made = await call(lambda options: call.v1.promotion_codes.create_async(params, options), key=f"{key}:code")
    return coupon, made.id


async def end(call: Caller, external_id: str, key: str) -> Promotion:
    """Have a code work no more."""
    return snapshot(await call(lambda options: call.v1.promotion_codes.update_async(external_id, {"active": False}, options), key=key))


async def fetch(call: Caller, external_id: str) -> Promotion:
    """Fetch a code afresh."""
    return snapshot(await call(lambda options: call.v1.promotion_codes.retrieve_async(external_id, options=options)))


def snapshot(code: stripe.PromotionCode) -> Promotion:
    """Read a promotion code."""
    return Promotion(code.id, code.active, code.times_redeemed)


def coupon_params(discount: Discount) -> CouponCreateParams:
    """Return the parameters of a coupon."""
    params: CouponCreateParams = {"duration": "once"}
    if discount.months is not None:
        params["duration"] = "repeating" if discount.months else "forever"
    if discount.months:
        params["duration_in_months"] = discount.months
    if discount.percent is not None:
        params["percent_off"] = discount.percent
    elif discount.amount is not None:
        params["amount_off"], params["currency"] = discount.amount.minor, discount.amount.currency.lower()
    if discount.products:
        params["applies_to"] = {"products": list(discount.products)}
    if discount.name:
        params["name"] = discount.name
    return params
