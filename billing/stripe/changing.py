"""Changing a subscription, so that doing it twice is doing it once: docs.stripe.com/billing/subscriptions/change."""

from datetime import datetime
from typing import Any

import stripe
from stripe.params import SubscriptionScheduleUpdateParams, SubscriptionUpdateParams

from billing.stripe.caller import Caller
from billing.stripe.promotions import create_coupon
from billing.stripe.snapshots import id_of, subscription_snapshot
from billing.stripe.subscription import fetch_subscription, release
from core.payments import ChangeTiming, SubscriptionSnapshot
from core.promotions import Discount


async def change_price(call: Caller, external_id: str, price: str, timing: ChangeTiming, key: str) -> SubscriptionSnapshot:
    """Change to another price, after letting go of what was planned before. Where it has the price already, nothing more is done."""
    held = await call.get("subscriptions", external_id)
    (item, *_) = held["items"]["data"]
    if planned := id_of(held.get("schedule")):
        if timing is ChangeTiming.PERIOD_END and await _is_planned(call, planned, price):
            return await fetch_subscription(call, external_id)
        await release(call, planned)
        key = f"{key}:{planned}"  # asked again after a crash: the same key would bring back the plan that was just let go of
    if item["price"]["id"] == price:
        return await fetch_subscription(call, external_id)
    if timing is ChangeTiming.PERIOD_END:
        await _plan(call, external_id, item, price, key)
        return await fetch_subscription(call, external_id)
    params: SubscriptionUpdateParams = {"items": [{"id": item["id"], "price": price}], "proration_behavior": "none"}
    if timing is ChangeTiming.PAID:
        params["proration_behavior"], params["payment_behavior"] = "always_invoice", "pending_if_incomplete"
    return await update(call, external_id, params, key)


async def _is_planned(call: Caller, schedule: str, price: str) -> bool:
    phases = (await call.get("subscription_schedules", schedule))["phases"]
    return len(phases) > 1 and phases[-1]["items"][0]["price"] == price


async def _plan(call: Caller, external_id: str, item: dict[str, Any], price: str, key: str) -> None:
    """Have a schedule change the price where the period that runs now ends; it lets go of the subscription then."""
    made = await call(
        lambda options: call.v1.subscription_schedules.create_async({"from_subscription": external_id}, options), key=f"{key}:schedule"
    )
    start, end = item["current_period_start"], item["current_period_end"]
    params: SubscriptionScheduleUpdateParams = {
        "end_behavior": "release",
        "proration_behavior": "none",
        "phases": [
            {"items": [{"price": item["price"]["id"], "quantity": 1}], "start_date": start, "end_date": end, "proration_behavior": "none"},
            {"items": [{"price": price, "quantity": 1}], "start_date": end, "proration_behavior": "none"},
        ],
    }
    await call(lambda options: call.v1.subscription_schedules.update_async(made.id, params, options), key=f"{key}:phases")


async def extend(call: Caller, external_id: str, until: datetime, key: str) -> SubscriptionSnapshot:
    """Move the next payment; to the processor that is a trial until then."""
    return await update(call, external_id, {"trial_end": int(until.timestamp()), "proration_behavior": "none"}, key)


async def pause(call: Caller, external_id: str, resumes_at: datetime, key: str) -> SubscriptionSnapshot:
    """Void what falls due until then."""
    return await update(call, external_id, {"pause_collection": {"behavior": "void", "resumes_at": int(resumes_at.timestamp())}}, key)


async def resume(call: Caller, external_id: str, key: str, *, anew: bool) -> SubscriptionSnapshot:
    """Collect again, in two steps where a period begins anew: what is billed while it is paused would be voided."""
    resumed = await update(call, external_id, {"pause_collection": ""}, key)
    if not anew:
        return resumed
    return await update(call, external_id, {"billing_cycle_anchor": {"type": "now"}, "proration_behavior": "none"}, f"{key}:anew")


async def discount(call: Caller, external_id: str, what: Discount, key: str) -> SubscriptionSnapshot:
    """Put a coupon on a subscription."""
    coupon = await create_coupon(call, what, key)
    return await update(call, external_id, {"discounts": [{"coupon": coupon}]}, key)


async def update(call: Caller, external_id: str, params: SubscriptionUpdateParams, key: str) -> SubscriptionSnapshot:
    """Change a subscription as Stripe has it, and read the answer."""

    async def send(options: stripe.RequestOptions) -> stripe.Subscription:
        return await call.v1.subscriptions.update_async(external_id, params, options)

    return subscription_snapshot(await call(send, key=key))
