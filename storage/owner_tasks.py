"""What only a community's owner can do: take somebody out where the platform does not let us."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Index, Integer, Text, and_, bindparam, text, update
from sqlmodel import Field, SQLModel, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from core.ids import CommunityId, GrantId, OwnerTaskId
from storage.accounts import AccountRow
from storage.grants import GrantRow, GrantStatus
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.types import UTCDateTime, scoped
from storage.upsert import insert

DEADLINE = timedelta(days=3)
"""How long the owner has before being told again."""
EVERY = timedelta(days=1)
"""How often after that."""
_OPEN = text("done_at IS NULL")


class OwnerTaskRow(SQLModel, table=True):
    """One thing to do, about one grant that is over and could not be taken. At most one is open for a grant."""

    __tablename__ = "owner_tasks"
    __table_args__ = (
        scoped("owner_tasks", "grant_id", "grants"),
        Index("uq_owner_tasks_open", "grant_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_owner_tasks_remind_at", "remind_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: OwnerTaskId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    grant_id: GrantId = Field(sa_type=Text)
    why: str
    """What the platform forbids us, as it was put to us."""
    opened_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    remind_at: datetime = Field(sa_type=UTCDateTime)
    """When the owner is told again: at the deadline, then every day."""
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


@dataclass(frozen=True, slots=True)
class OwnerTask:
    """A task with whom and what it is about."""

    row: OwnerTaskRow
    grant: GrantRow
    account: AccountRow
    resource: ResourceRow
    space: SpaceRow


_Found = Select[OwnerTaskRow, GrantRow, AccountRow, ResourceRow]


def _open(which: ColumnElement[bool]) -> _Found:
    return (
        select(OwnerTaskRow, GrantRow, AccountRow, ResourceRow)
        .join(GrantRow, col(GrantRow.id) == col(OwnerTaskRow.grant_id))
        .join(AccountRow, col(AccountRow.id) == col(GrantRow.account_id))
        .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
        .where(col(OwnerTaskRow.done_at).is_(None), which)
        .order_by(col(OwnerTaskRow.opened_at), col(OwnerTaskRow.id))
        .limit(bindparam("limit", type_=Integer))
    )


_LATE = _open(and_(col(OwnerTaskRow.remind_at) <= bindparam("now"), ~col(GrantRow.wanted), col(GrantRow.status) != GrantStatus.DONE))
_OF_COMMUNITY = _open(col(OwnerTaskRow.community_id) == bindparam("community"))
_SPACES = select(SpaceRow).where(col(SpaceRow.id).in_(bindparam("spaces", expanding=True)))
_OVER = select(GrantRow.id).where(or_(col(GrantRow.wanted), col(GrantRow.status) == GrantStatus.DONE))
_SETTLE = (
    update(OwnerTaskRow)
    .where(col(OwnerTaskRow.done_at).is_(None), col(OwnerTaskRow.grant_id).in_(_OVER))
    .values(done_at=bindparam("now", type_=UTCDateTime))
    .execution_options(synchronize_session=False)
)


async def ensure(session: AsyncSession, row: OwnerTaskRow) -> bool:
    """Store a task unless one is open for its grant; returns whether it is new."""
    statement = insert(session, OwnerTaskRow).values(row.model_dump()).on_conflict_do_nothing().returning(col(OwnerTaskRow.id))
    return (await session.execute(statement)).one_or_none() is not None


async def settle(session: AsyncSession, now: datetime) -> None:
    """Close every task whose person is out, or has paid again."""
    await session.execute(_SETTLE, {"now": now})


async def late(session: AsyncSession, now: datetime, limit: int) -> Sequence[OwnerTask]:
    """Return open tasks whose owner is to be told again, the oldest first; none whose person is out, or has paid again."""
    return await _tasks(session, _LATE, {"now": now, "limit": limit})


async def open_ones(session: AsyncSession, community: CommunityId, limit: int) -> Sequence[OwnerTask]:
    """Return a community's open tasks, the oldest first."""
    return await _tasks(session, _OF_COMMUNITY, {"community": community, "limit": limit})


async def _tasks(session: AsyncSession, query: _Found, of: dict[str, object]) -> Sequence[OwnerTask]:
    rows = (await session.exec(query, params=of)).all()
    places = {"spaces": list({found[3].space_id for found in rows})}
    spaces = {row.id: row for row in await session.exec(_SPACES, params=places)}
    return [OwnerTask(*found, spaces[found[3].space_id]) for found in rows]
