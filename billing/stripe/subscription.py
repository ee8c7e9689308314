"""Cancelling, so that doing it twice is doing it once."""

import stripe
from stripe.params import SubscriptionUpdateParams

from billing.stripe.caller import Caller
from billing.stripe.snapshots import id_of, subscription_snapshot
from core.errors import PermanentError
from core.payments import SubscriptionSnapshot

ENDED = frozenset(["canceled", "incomplete_expired"])


async def fetch_subscription(call: Caller, external_id: str) -> SubscriptionSnapshot:
    """Fetch a subscription afresh."""
    return subscription_snapshot(await call.get("subscriptions", external_id))


async def cancel(call: Caller, external_id: str, *, at_period_end: bool, key: str, reason: str = "") -> SubscriptionSnapshot:
    """Cancel; Stripe refuses to cancel what has ended, which is as good as done."""

    async def send(options: stripe.RequestOptions) -> stripe.Subscription:
        if at_period_end:
            params: SubscriptionUpdateParams = {"cancel_at_period_end": True}
            if reason:
                params["cancellation_details"] = {"feedback": reason}
            return await call.v1.subscriptions.update_async(external_id, params, options)
        return await call.v1.subscriptions.cancel_async(
            external_id, {"cancellation_details": {"feedback": reason}} if reason else {}, options
        )

    try:
        return subscription_snapshot(await call(send, key=key))
    except PermanentError:
        held = await call.get("subscriptions", external_id)
        if held["status"] in ENDED:
            return subscription_snapshot(held)
        planned = id_of(held.get("schedule"))
        if not planned:
            raise
    await release(call, planned)  # what is planned for its next period would not come; until then Stripe lets nobody cancel beside it
    return subscription_snapshot(await call(send, key=f"{key}:{planned}"))


async def release(call: Caller, schedule: str) -> None:
    """Let go of what was planned for a subscription's next period."""
    await call(lambda options: call.v1.subscription_schedules.release_async(schedule, options=options), key=f"release:{schedule}")
