"""A subscription through time: trials, renewals, planned ends and pauses, each at its moment."""

from sandbox.stripe import collection, discounts, invoice_lines, invoices, periods, subscription_state
from sandbox.stripe.account import Account
from sandbox.stripe.resource import Json, Resource

RUNNING = frozenset({"active", "trialing", "past_due", "unpaid"})


def items_of(subscription: Resource) -> list[Json]:
    """Return the subscription items."""
    items: list[Json] = subscription["items"]["data"]
    return items


def period_end(subscription: Resource) -> int:
    """Return the end of the current period."""
    end: int = items_of(subscription)[0]["current_period_end"]
    return end


def set_period(subscription: Resource, start: int, end: int) -> None:
    """Set the current period on every item."""
    for item in items_of(subscription):
        item |= {"current_period_start": start, "current_period_end": end}


def next_end(subscription: Resource, start: int) -> int:
    """Return when a period that starts at ``start`` ends."""
    every = items_of(subscription)[0]["price"]["recurring"]
    return periods.end_after(subscription["billing_cycle_anchor"], every["interval"], every["interval_count"], start)


def follow(account: Account, subscription: Resource) -> None:
    """Schedule the end of the current period, the warning before a trial's end, and a planned end."""
    timeline, end = account.timeline(subscription["customer"]), period_end(subscription)
    timeline.schedule(end, lambda: _turn(account, subscription, end))
    if subscription["status"] == "trialing":
        warned = max(timeline.now(), subscription["trial_end"] - account.policy.trial_warning)
        timeline.schedule(warned, lambda: _warn(account, subscription, end))


def follow_end(account: Account, subscription: Resource) -> None:
    """Schedule ``cancel_at``."""
    due = subscription["cancel_at"]
    if due is not None:
        account.timeline(subscription["customer"]).schedule(due, lambda: _planned_end(account, subscription, due))


def follow_pause(account: Account, subscription: Resource) -> None:
    """Schedule the end of a pause in collection."""
    due = (subscription["pause_collection"] or {}).get("resumes_at")
    if due is None:
        return

    def resume() -> None:
        if (subscription["pause_collection"] or {}).get("resumes_at") == due:
            with account.changing(subscription, "customer.subscription.updated"):
                subscription["pause_collection"] = None

    account.timeline(subscription["customer"]).schedule(due, resume)


def _warn(account: Account, subscription: Resource, end: int) -> None:
    if subscription["status"] == "trialing" and subscription["trial_end"] == end:
        account.emit("customer.subscription.trial_will_end", subscription)


def _planned_end(account: Account, subscription: Resource, due: int) -> None:
    if subscription["cancel_at"] == due and subscription["status"] not in subscription_state.OVER:
        subscription_state.end(account, subscription)


def _turn(account: Account, subscription: Resource, due: int) -> None:
    if subscription["status"] not in RUNNING or period_end(subscription) != due:
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= due:
        subscription_state.end(account, subscription)
        return
    if subscription["status"] == "trialing" and collection.default_method(account, subscription) is None:
        behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
        if behavior == "cancel":
            subscription_state.end(account, subscription)
            return
        if behavior == "pause":
            subscription_state.pause(account, subscription, "trial_end_without_payment_method")
            return
    renew(account, subscription, due)


def renew(account: Account, subscription: Resource, start: int) -> None:
    """Begin the next period at ``start`` and bill it, as a schedule planned it where there is one."""
    turn = subscription.hidden.pop("next_phase", None)
    with account.changing(subscription, "customer.subscription.updated"):
        if turn is not None:
            turn()
        subscription.hidden["previous_start"] = items_of(subscription)[0]["current_period_start"]
        set_period(subscription, start, next_end(subscription, start))
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
    bill(account, subscription, "subscription_cycle")
    follow(account, subscription)


def bill(account: Account, subscription: Resource, reason: str, *, at_once: bool = False) -> Resource:
    """Make the invoice of the current period. It stays a draft for an hour, unless ``at_once``, when the caller opens it."""
    lines = [*subscription.hidden.pop("pending_lines", [])]
    lines += [invoice_lines.charge_line(account, item) for item in items_of(subscription)]
    return invoice(account, subscription, reason, lines, at_once=at_once)


def invoice(account: Account, subscription: Resource, reason: str, lines: list[Json], *, at_once: bool = False) -> Resource:
    """Make an invoice of ``lines`` as the subscription's state says: sent on, kept as a draft, voided or written off."""
    paused = (subscription["pause_collection"] or {}).get("behavior")
    taken = discounts.take(account, subscription, invoice_lines.discountable(lines))
    advance = paused is None and subscription["status"] != "unpaid"
    made = invoices.draft(account, subscription, reason, lines, taken, advance=advance)
    if paused in {"void", "mark_uncollectible"}:
        invoices.finalize(account, made)
        if made["status"] == "open":
            invoices.close(account, made, "void" if paused == "void" else "uncollectible")
    elif advance and not at_once:
        timeline = account.timeline(subscription["customer"])
        made["automatically_finalizes_at"] = due = timeline.now() + account.policy.finalizes_after
        timeline.schedule(due, lambda: collection.finalize_and_collect(account, made))
    return made
