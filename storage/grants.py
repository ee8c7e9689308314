"""What each account should hold, and what the platform last said."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Integer, Text, UniqueConstraint, bindparam, or_, text
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.dispatch import Lane
from core.errors import Remedy
from core.ids import AccountId, CauseId, CommunityId, GrantId, MemberId, ResourceId, SpaceId
from core.platform import Resource
from storage.accounts import AccountRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.types import UTCDateTime, inline, owned, scoped
from storage.upsert import table


class Actual(StrEnum):
    """What the platform last said."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    REVOKED = "revoked"


class GrantStatus(StrEnum):
    """What the drain has to do."""

    PENDING = "pending"
    DONE = "done"
    BLOCKED = "blocked"
    """Fails until ``remedy`` acts; an event or a probe sets it pending again."""
    DEAD = "dead"
    """Given up: a bug or the operator's; shown by `doctor`."""


_PENDING = text("status = 'pending'")
_BLOCKED = text("status = 'blocked'")
_WANTED = text("wanted")


class GrantRow(SQLModel, table=True):
    """One resource one account should hold or not (``wanted``), and how that stands. One live row per account and resource."""

    __tablename__ = "grants"
    __table_args__ = (
        owned("grants"),
        scoped("grants", "member_id", "members"),
        scoped("grants", "account_id", "accounts"),
        scoped("grants", "resource_id", "resources"),
        UniqueConstraint("account_id", "resource_id", name="uq_grants_account_resource"),
        Index("ix_grants_due", "lane", "wanted", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_grants_blocked", "resource_id", sqlite_where=_BLOCKED, postgresql_where=_BLOCKED),
        Index("ix_grants_checked", "checked_at", sqlite_where=_WANTED, postgresql_where=_WANTED),
        Index("ix_grants_member_id", "member_id"),
        Index("ix_grants_resource_id", "resource_id"),
    )

    id: GrantId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    account_id: AccountId = Field(sa_type=Text)
    resource_id: ResourceId = Field(sa_type=Text)
    lane: Lane = Field(sa_type=Text)
    wanted: bool
    actual: Actual = Field(default=Actual.UNKNOWN, sa_type=Text)
    status: GrantStatus = Field(default=GrantStatus.PENDING, sa_type=Text)
    attempted: bool = False
    """We have asked the platform to give it, or an invite that is out carries it: only then may we take it."""
    found: bool = False
    """They had it before we first gave it: never ours to take."""
    due_at: datetime = Field(sa_type=UTCDateTime)
    attempts: int = 0
    error: str = ""
    error_code: str = ""
    remedy: Remedy | None = Field(default=None, sa_type=Text)
    told: bool = False
    """Whoever must act on the current block has been told."""
    invite_url: str = ""
    """A single-use way in that we made and have not taken back, when the payer had to come by themselves."""
    invited_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When it was made: it runs out. None when it is not to be used any more: it is withdrawn before another is made, or at the end."""
    version: int = 0
    """Raised when ``wanted`` changes; a result that belongs to an older version is not recorded as done."""
    checked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the platform last answered about it."""
    changed_at: datetime = Field(sa_type=UTCDateTime)
    cause_id: CauseId = Field(sa_type=Text)

    @property
    def facts(self) -> dict[str, Any]:
        """What the record says of it: what is to be, what the platform last said, and what is left to do."""
        return {"wanted": self.wanted, "actual": str(self.actual), "status": str(self.status)}

    @property
    def door(self) -> str:
        """The invite to show, empty when there is none to be used."""
        return self.invite_url if self.invited_at is not None else ""


@dataclass(frozen=True, slots=True)
class GrantTask:
    """A grant row with what it takes to carry it out."""

    grant: GrantRow
    account: AccountRow
    resource_row: ResourceRow
    space_row: SpaceRow
    first: bool = False
    """We had never tried to give it when this was read."""

    @property
    def resource(self) -> Resource:
        """The resource as the platform port knows it."""
        return self.resource_row.resource(self.space_row.space)


_LIMIT = bindparam("limit", type_=Integer)
_TASKS = (
    select(GrantRow, AccountRow, ResourceRow, SpaceRow)
    .join(AccountRow, col(AccountRow.id) == col(GrantRow.account_id))
    .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
    .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
)
_OF_MEMBER = _TASKS.where(GrantRow.member_id == bindparam("member"))
_gain = aliased(GrantRow)
_NO_GAIN_BEFORE = (
    ~select(_gain.id)
    .where(
        _gain.member_id == GrantRow.member_id,
        _gain.cause_id == GrantRow.cause_id,
        _gain.lane == GrantRow.lane,
        col(_gain.wanted),
        col(_gain.status) == inline(GrantStatus.PENDING),
    )
    .exists()
)
"""Who changes from one thing to another is given the new one before the old one is taken, however long the platform lets us wait.

On one lane only: another platform's outage takes nothing and keeps nothing here."""
IN_TURN = or_(col(GrantRow.wanted), _NO_GAIN_BEFORE)
_ON_LANE = (GrantRow.lane == bindparam("lane"), col(GrantRow.status) == inline(GrantStatus.PENDING))
_GAIN = (*_ON_LANE, col(GrantRow.wanted))
_LOSS = (*_ON_LANE, ~col(GrantRow.wanted), _NO_GAIN_BEFORE)
_NOW = col(GrantRow.due_at) <= bindparam("now")
_DUE = _TASKS.where(*_ON_LANE, IN_TURN, _NOW)
_DUE_OF_RESOURCE = _DUE.where(GrantRow.resource_id == bindparam("resource")).order_by(col(GrantRow.due_at)).limit(_LIMIT)
_DUE_OUTSIDE = tuple(
    _TASKS.where(*which, _NOW)
    .where(col(ResourceRow.space_id).not_in(bindparam("full", expanding=True)))
    .where(col(GrantRow.resource_id).not_in(bindparam("besides", expanding=True)))
    .order_by(col(GrantRow.due_at))
    .limit(_LIMIT)
    for which in (_GAIN, _LOSS)
)
"""Each in the order of its part of the index: with thousands due, a few are read."""
_ATTEMPT = (
    table(GrantRow)
    .update()
    .where(table(GrantRow).c.id == bindparam("grant"), table(GrantRow).c.version == bindparam("read"))
    .values(attempted=True, found=bindparam("there"))
    .returning(table(GrantRow).c.id)
)
_NEXT_DUE = tuple(select(GrantRow.due_at).where(*which).order_by(col(GrantRow.due_at)).limit(1) for which in (_GAIN, _LOSS))
_ROWS_OF_MEMBER = select(GrantRow).where(GrantRow.member_id == bindparam("member")).with_for_update()


async def due(
    session: AsyncSession, lane: Lane, now: datetime, limit: int, full: Collection[SpaceId] = (), besides: Collection[ResourceId] = ()
) -> list[GrantTask]:
    """Return what is due on a lane outside the ``full`` spaces and ``besides`` some resources, gains before losses, oldest first."""
    which = {"lane": lane, "now": now, "full": list(full), "besides": list(besides)}
    found: list[GrantTask] = []
    for some in _DUE_OUTSIDE:
        found += [GrantTask(*row) for row in await session.exec(some, params={**which, "limit": limit - len(found)})]
        if len(found) == limit:
            break
    return found


async def due_of_resource(session: AsyncSession, lane: Lane, now: datetime, resource: ResourceId, limit: int) -> list[GrantTask]:
    """Return what is due of one resource, oldest first."""
    which = {"lane": lane, "now": now, "resource": resource, "limit": limit}
    return [GrantTask(*row) for row in await session.exec(_DUE_OF_RESOURCE, params=which)]


async def held_for_change(session: AsyncSession, ids: Sequence[GrantId]) -> dict[GrantId, GrantRow]:
    """Return rows by id, held against other writers until this transaction ends."""
    query = select(GrantRow).where(col(GrantRow.id).in_(ids)).order_by(col(GrantRow.id)).with_for_update()
    return {row.id: row for row in await session.exec(query)}


async def attempt(session: AsyncSession, grant: GrantRow, *, found: bool) -> bool:
    """Note that we are about to give it, and whether it was found with them; False when what is wanted has changed since it was read."""
    which = {"grant": grant.id, "read": grant.version, "there": found}
    return (await session.execute(_ATTEMPT, which)).first() is not None


async def next_due(session: AsyncSession, lane: Lane) -> datetime | None:
    """Return when the next row of a lane falls due."""
    times = [(await session.exec(some, params={"lane": lane})).first() for some in _NEXT_DUE]
    return min((time for time in times if time is not None), default=None)


async def of_account(session: AsyncSession, account: AccountId, space: SpaceRow | None = None) -> list[GrantTask]:
    """Return an account's grants, in one space or all."""
    query = _TASKS.where(GrantRow.account_id == account)
    if space is not None:
        query = query.where(ResourceRow.space_id == space.id)
    return [GrantTask(*row) for row in await session.exec(query)]


async def of_member(session: AsyncSession, member: MemberId) -> list[GrantTask]:
    """Return a member's grants over all accounts."""
    return [GrantTask(*row) for row in await session.exec(_OF_MEMBER, params={"member": member})]


async def rows_of_member(session: AsyncSession, member: MemberId) -> Sequence[GrantRow]:
    """Return a member's grant rows, held against other writers until this transaction ends."""
    return (await session.exec(_ROWS_OF_MEMBER, params={"member": member})).all()
