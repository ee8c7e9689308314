"""Who waits for a seat of a plan that is sold out."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Integer, Text, and_, bindparam, func, or_, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import AccountId, CommunityId, MemberId, PlanId, WaitlistId
from storage.types import UTCDateTime, inline, owned, scoped


class WaitlistState(StrEnum):
    """How a place in the line stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    """A seat is kept for them until ``offered_until``."""
    TAKEN = "taken"
    LAPSED = "lapsed"
    """The offer ran out; the next in line had it."""
    LEFT = "left"


_IN_LINE = text("state IN ('waiting', 'offered')")


class WaitlistEntryRow(SQLModel, table=True):
    """One member in the line for a plan."""

    __tablename__ = "waitlist_entries"
    __table_args__ = (
        owned("waitlist_entries"),
        scoped("waitlist_entries", "plan_id", "plans"),
        scoped("waitlist_entries", "member_id", "members"),
        scoped("waitlist_entries", "account_id", "accounts"),
        Index("uq_waitlist_entries_in_line", "plan_id", "member_id", unique=True, sqlite_where=_IN_LINE, postgresql_where=_IN_LINE),
    )

    id: WaitlistId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    plan_id: PlanId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    account_id: AccountId = Field(sa_type=Text)
    """The account they asked with; the seat's link is bound to it."""
    state: WaitlistState = Field(default=WaitlistState.WAITING, sa_type=Text)
    since: datetime = Field(sa_type=UTCDateTime)
    offered_until: datetime | None = Field(default=None, sa_type=UTCDateTime)


_MINE = select(WaitlistEntryRow).where(
    WaitlistEntryRow.plan_id == bindparam("plan"),
    WaitlistEntryRow.member_id == bindparam("member"),
    col(WaitlistEntryRow.state).in_([inline(WaitlistState.WAITING), inline(WaitlistState.OFFERED)]),
)
_WAITING = (
    select(WaitlistEntryRow)
    .where(WaitlistEntryRow.plan_id == bindparam("plan"), col(WaitlistEntryRow.state) == inline(WaitlistState.WAITING))
    .order_by(col(WaitlistEntryRow.since), col(WaitlistEntryRow.id))
    .limit(bindparam("limit", type_=Integer))
)
_LAPSING = select(WaitlistEntryRow).where(
    WaitlistEntryRow.plan_id == bindparam("plan"),
    col(WaitlistEntryRow.state) == inline(WaitlistState.OFFERED),
    col(WaitlistEntryRow.offered_until) <= bindparam("now", type_=UTCDateTime),
)
_COUNT = (
    select(func.count())
    .select_from(WaitlistEntryRow)
    .where(WaitlistEntryRow.plan_id == bindparam("plan"), col(WaitlistEntryRow.state) == inline(WaitlistState.WAITING))
)
_COUNT_BEFORE = _COUNT.where(
    or_(
        col(WaitlistEntryRow.since) < bindparam("since", type_=UTCDateTime),
        and_(col(WaitlistEntryRow.since) == bindparam("since", type_=UTCDateTime), col(WaitlistEntryRow.id) < bindparam("id", type_=Text)),
    )
)
_PLANS = (
    select(WaitlistEntryRow.plan_id)
    .where(col(WaitlistEntryRow.state).in_([inline(WaitlistState.WAITING), inline(WaitlistState.OFFERED)]))
    .distinct()
)


async def of_member(session: AsyncSession, plan: PlanId, member: MemberId) -> WaitlistEntryRow | None:
    """Return a member's place in a plan's line; None when they are not in it."""
    return (await session.exec(_MINE, params={"plan": plan, "member": member})).first()


async def first(session: AsyncSession, plan: PlanId, limit: int) -> Sequence[WaitlistEntryRow]:
    """Return who has waited longest."""
    return (await session.exec(_WAITING, params={"plan": plan, "limit": limit})).all()


async def lapsing(session: AsyncSession, plan: PlanId, now: datetime) -> Sequence[WaitlistEntryRow]:
    """Return the offers whose time is over."""
    return (await session.exec(_LAPSING, params={"plan": plan, "now": now})).all()


async def waiting(session: AsyncSession, plan: PlanId, before: WaitlistEntryRow | None = None) -> int:
    """Count who waits without an offer: before somebody in line, or all."""
    if before is None:
        return (await session.exec(_COUNT, params={"plan": plan})).one()
    return (await session.exec(_COUNT_BEFORE, params={"plan": plan, "since": before.since, "id": before.id})).one()


async def plans_with_a_line(session: AsyncSession) -> Sequence[PlanId]:
    """Return the plans that somebody waits for, or has an offer of."""
    return [PlanId(plan) for plan in await session.exec(_PLANS)]
