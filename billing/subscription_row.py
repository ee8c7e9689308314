"""What our row of a subscription says after a look at the processor's."""

from datetime import datetime
from typing import Any

from core.ids import PlanId
from core.payments import InvoiceSnapshot, SubscriptionSnapshot
from storage.audit import Trail
from storage.database import Session
from storage.prices import plan_of
from storage.subscriptions import SubscriptionRow


async def copy(session: Session, row: SubscriptionRow, snapshot: SubscriptionSnapshot, trail: Trail) -> None:
    """Make the row say what a snapshot, asked for at ``trail.at``, says."""
    row.plan_id, row.stripe_price_id = await sold(session, row, snapshot)
    row.past_due_since = failing_since(row, snapshot, trail.at)
    row.paid_until, row.paused_until = paid_until(row, snapshot), snapshot.resumes_at if snapshot.paused else None
    if not snapshot.waits and not snapshot.planned:
        row.next_price_id = None
    row.status = snapshot.status
    row.period_end = snapshot.period_end
    row.trial_end = snapshot.trial_end
    row.cancel_at = snapshot.period_end if snapshot.cancel_at_period_end else snapshot.cancel_at
    row.ended_at = snapshot.ended_at
    row.fetched_at = trail.at
    if row.past_due_since is None:
        row.notices_sent = 0


def owe(row: SubscriptionRow, owed: InvoiceSnapshot | None) -> None:
    """Note what a failed renewal asks for, and where it is paid; nothing once none fails."""
    if row.past_due_since is None:
        row.owed, row.owed_currency, row.pay_url = None, "", ""
    elif owed is not None and owed.status == "open":
        row.owed, row.owed_currency, row.pay_url = owed.total.minor - owed.paid.minor, owed.total.currency, owed.hosted_url


async def sold(session: Session, row: SubscriptionRow, snapshot: SubscriptionSnapshot) -> tuple[PlanId, str]:
    """Return the plan of ours a subscription is of now, and its price at the processor; what we hold where it names none of ours."""
    sold = row.plan_id, row.stripe_price_id
    for price in snapshot.prices:
        plan = await plan_of(session, row.stripe_account_id, price)
        if plan is not None and plan[0] == row.community_id:
            sold = plan[1], price
    return sold


def paid_until(row: SubscriptionRow, snapshot: SubscriptionSnapshot) -> datetime | None:
    """Return what was paid for when a pause began; None where there is no pause. What was paid for stays paid for as periods go by."""
    if not snapshot.paused:
        return None
    return row.paid_until or (row.period_end if row.status else snapshot.period_end)


def failing_since(row: SubscriptionRow, snapshot: SubscriptionSnapshot, at: datetime) -> datetime | None:
    """Return since when a payment fails: a renewal since its period began, if that was after we last looked; else since we see it."""
    if snapshot.status != "past_due":
        return None
    began = snapshot.period_start
    renewal = began is not None and (began > row.fetched_at or row.period_end <= began)
    return row.past_due_since or (began if renewal else at)


def facts(row: SubscriptionRow) -> dict[str, Any]:
    """Return what the audit says of a subscription."""
    return {
        "status": row.status,
        "plan": row.plan_id,
        "period_end": row.period_end.isoformat(),
        "cancel_at": row.cancel_at.isoformat() if row.cancel_at else None,
        "past_due_since": row.past_due_since.isoformat() if row.past_due_since else None,
        "paused_until": row.paused_until.isoformat() if row.paused_until else None,
    }
