"""Changes that wait for their payment: docs.stripe.com/billing/subscriptions/pending-updates."""

from sandbox.stripe import collection, cycle, invoice_lines, invoices, item_changes
from sandbox.stripe.account import Account
from sandbox.stripe.item_changes import ItemChange
from sandbox.stripe.resource import Resource


def hold(account: Account, subscription: Resource, change: ItemChange) -> None:
    """Keep ``change`` back until its invoice is paid, or for 23 hours."""
    timeline = account.timeline(subscription["customer"])
    now = timeline.now()
    expires = now + account.policy.incomplete_expires_after
    with account.changing(subscription, "customer.subscription.updated"):
        subscription["pending_update"] = {
            "billing_cycle_anchor": now if change.restarts else None,
            "expires_at": expires,
            "subscription_items": change.after,
            "trial_end": None,
            "trial_from_plan": None,
        }
    lines = change.prorations(account, now)
    if change.restarts:
        lines += [invoice_lines.charge_line(account, item) for item in change.after]
    invoice = cycle.invoice(account, subscription, "subscription_update", lines, at_once=True)
    invoice.hidden["on_paid"] = lambda: _apply(account, subscription, change)
    timeline.schedule(expires, lambda: _expire(account, subscription, invoice, expires))
    collection.finalize_and_collect(account, invoice)


def _apply(account: Account, subscription: Resource, change: ItemChange) -> None:
    if subscription["pending_update"] is None:
        return
    now = account.now(subscription["customer"])
    with account.changing(subscription, "customer.subscription.updated", "customer.subscription.pending_update_applied"):
        subscription["pending_update"] = None
        item_changes.apply(account, subscription, change)
        if change.restarts:
            subscription["billing_cycle_anchor"] = now
            cycle.set_period(subscription, now, cycle.next_end(subscription, now))
    if change.restarts:
        cycle.follow(account, subscription)


def _expire(account: Account, subscription: Resource, invoice: Resource, expires: int) -> None:
    if (subscription["pending_update"] or {}).get("expires_at") != expires:
        return
    with account.changing(subscription, "customer.subscription.updated", "customer.subscription.pending_update_expired"):
        subscription["pending_update"] = None
    if invoice["status"] == "open":
        invoices.close(account, invoice, "void")
