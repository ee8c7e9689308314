"""Failed renewals whose members are to be reminded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, func, select, update

from core.dispatch import Lane
from core.events import Notice
from core.ids import CommunityId, MemberId, SubscriptionId
from storage.database import Session, will_wake
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.outbox import OutboxKind, OutboxRow
from storage.plans import PlanRow
from storage.subscriptions import SubscriptionRow
from storage.sweeping import Sweep, Tally
from storage.upsert import insert, table

_subscription = table(SubscriptionRow).c
_entitlement = table(EntitlementRow).c
_plan = table(PlanRow).c
_OPENS = (
    (_entitlement.source_id == _subscription.id)
    & (_entitlement.source_kind == SourceKind.SUBSCRIPTION)
    & (_entitlement.state == EntitlementState.ACTIVE)
)
_IS_DUE = (_subscription.past_due_since.is_not(None), _subscription.next_notice_at <= bindparam("now"))
_DUE = select(
    _subscription.id, _subscription.community_id, _subscription.member_id, _plan.name, _subscription.past_due_since,
    _subscription.notices_sent, _entitlement.expires_at, _entitlement.lane, _subscription.owed, _subscription.owed_currency,
    _subscription.pay_url,
).select_from(
    table(SubscriptionRow).join(table(PlanRow), _plan.id == _subscription.plan_id).outerjoin(table(EntitlementRow), _OPENS)
).where(*_IS_DUE).order_by(_subscription.next_notice_at, _subscription.id).limit(bindparam("limit", type_=Integer))  # fmt: skip
_COUNT = select(_subscription.community_id, func.count()).where(*_IS_DUE).group_by(_subscription.community_id)


@dataclass(frozen=True, slots=True)
class Failing:
    """A subscription whose reminder is due. ``until`` is when access ends; None when it has."""

    id: SubscriptionId
    community: CommunityId
    member: MemberId
    plan: str
    since: datetime
    sent: int
    until: datetime | None
    lane: Lane | None
    owed: int | None = None
    currency: str = ""
    pay_url: str = ""


@dataclass(frozen=True, slots=True)
class Reminder:
    """What follows for one of them: a notice, or none where it comes too late, and when the next is due."""

    failing: Failing
    notice: Notice | None
    sent: int
    following: datetime | None


async def due(session: Session, now: datetime, limit: int) -> list[Failing]:
    """Return whom to remind, the longest due first."""
    return [Failing(*row) for row in await session.execute(_DUE, {"now": now, "limit": limit})]


async def count(session: Session, now: datetime) -> Tally:
    """Count them by community."""
    return Tally({found.community_id: found[1] for found in await session.execute(_COUNT, {"now": now})})


async def send(session: Session, sweep: Sweep, reminders: Sequence[Reminder]) -> None:
    """Put the notices out and note when the next are due, all at once; a notice that was put out before is not put out again."""
    if not reminders:
        return
    rows = [_row(sweep, reminder, reminder.notice) for reminder in reminders if reminder.notice is not None]
    if rows:
        await session.execute(insert(session, OutboxRow).on_conflict_do_nothing(), [row.model_dump() for row in rows])
    for row in rows:
        will_wake(session, row.lane)
    if not reminders:
        return
    advance = update(table(SubscriptionRow)).where(_subscription.id == bindparam("which"))
    moved: list[dict[str, Any]] = [
        {"which": reminder.failing.id, "sent": reminder.sent, "following": reminder.following} for reminder in reminders
    ]
    connection = await session.connection()
    await connection.execute(advance.values(notices_sent=bindparam("sent"), next_notice_at=bindparam("following")), moved)


def _row(sweep: Sweep, reminder: Reminder, notice: Notice) -> OutboxRow:
    failing = reminder.failing
    if failing.lane is None:
        raise ValueError("a reminder needs somebody who is still inside")
    return OutboxRow(
        id=f"{sweep.cause}:reminder:{failing.id}",
        community_id=failing.community,
        kind=OutboxKind.NOTICE,
        lane=failing.lane,
        subject=failing.member,
        payload=notice.to_payload(),
        dedupe=f"payment_failed:{failing.id}:{failing.since.isoformat()}:{reminder.sent - 1}",
        created_at=sweep.at,
        due_at=sweep.at,
        cause_id=sweep.cause,
    )
