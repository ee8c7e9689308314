"""Who ought to be inside, worked out from the processor's own objects alone: what the product's rows say has no say in it."""

from datetime import timedelta

from sandbox.stripe.account import Account
from sandbox.stripe.resource import Resource

GRACE = timedelta(days=5)
"""What is given to a renewal that failed, unless the operator or the creator says otherwise."""


def opens(account: Account, subscription: Resource, now: float) -> bool:
    """Whether a subscription opens its plan at the Unix time ``now``."""
    period_start: int = subscription["items"]["data"][0]["current_period_start"]
    if refunded(account, subscription, period_start):
        return False
    if subscription["status"] == "past_due":
        return now < period_start + GRACE.total_seconds()
    return subscription["status"] in {"active", "trialing"}


def refunded(account: Account, subscription: Resource, period_start: int) -> bool:
    """Whether the money of the current period was given back: then it opens nothing until the next is paid."""
    invoices = [one for one in account.table("invoice") if one.hidden["subscription"] is subscription]
    intents = [one.hidden["intent"].id for one in invoices if one["created"] >= period_start and one.hidden.get("intent")]
    return any(one["refunded"] and one["payment_intent"] in intents for one in account.table("charge"))
