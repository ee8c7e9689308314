"""Cancelling, so that doing it twice is doing it once."""

import stripe
from stripe.params import SubscriptionUpdateParams

from billing.stripe.caller import Caller
from billing.stripe.snapshots import subscription_snapshot
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
        now = await fetch_subscription(call, external_id)
        if now.status in ENDED:
            return now
        raise
