"""Canceling, pausing and resuming subscriptions: docs.stripe.com/api/subscriptions/cancel."""

from sandbox.stripe import cycle, invoice_lines
from sandbox.stripe import subscription_state as state
from sandbox.stripe.call import Call, Route, delete, post
from sandbox.stripe.errors import invalid, no_such
from sandbox.stripe.params import boolean, choice
from sandbox.stripe.resource import Json
from sandbox.stripe.subscription_changes import ANCHOR, DETAILS, PRORATION, bill, bill_anew, restart


def _cancel(call: Call) -> Json:
    subscription, account, given = call.get("subscription"), call.account, call.params
    if subscription["status"] in state.OVER:
        raise no_such("subscription", subscription.id)
    subscription["cancellation_details"] |= given.get("cancellation_details", {})
    if given.get("prorate") and subscription["status"] in {"active", "past_due"}:
        now = account.now(subscription["customer"])
        lines = [invoice_lines.proration(account, item, now, credit=True) for item in cycle.items_of(subscription)]
        subscription.hidden.setdefault("pending_lines", []).extend(lines)
    pending = subscription.hidden.pop("pending_lines", [])
    if given.get("invoice_now") and pending:
        bill(account, subscription, pending)
    state.end(account, subscription, "cancellation_requested")
    return subscription


def _pause(call: Call) -> Json:
    subscription = call.get("subscription")
    if subscription["status"] not in {"active", "trialing", "past_due"}:
        raise invalid(f"You cannot pause a subscription with the status {subscription['status']}.")
    state.pause(call.account, subscription, "pause_requested")
    return subscription


def _resume(call: Call) -> Json:
    subscription, account = call.get("subscription"), call.account
    if subscription["status"] != "paused":
        raise invalid("You can only resume a subscription with the status paused.")
    now = account.now(subscription["customer"])
    anew = (call.params.get("billing_cycle_anchor") or {}).get("type", "now") == "now" or cycle.period_end(subscription) <= now
    with account.changing(subscription, "customer.subscription.updated", "customer.subscription.resumed"):
        subscription |= {"status": "active", "status_details": None}
        if anew:
            restart(subscription, now)
    if anew:
        bill_anew(account, subscription, [])
    return subscription


def _drop_discounts(call: Call) -> Json:
    subscription = call.get("subscription")
    with call.account.changing(subscription, "customer.subscription.updated"):
        subscription["discounts"] = []
    return {"id": subscription.id, "object": "discount", "deleted": True}


RESUMING = {
    "billing_cycle_anchor": ANCHOR,
    "payment_behavior": choice("resume_on_payment_attempt", "resume_on_payment_success"),
    "proration_behavior": PRORATION,
}
CANCELING = {"cancellation_details": DETAILS, "invoice_now": boolean, "prorate": boolean}
ROUTES: list[Route] = [
    delete("/v1/subscriptions/*", _cancel, CANCELING),
    post("/v1/subscriptions/*/pause", _pause, {"type": choice("subscription")}),
    post("/v1/subscriptions/*/resume", _resume, RESUMING),
    delete("/v1/subscriptions/*/discount", _drop_discounts),
]
