"""How far a whole look at a community has come: it can be stopped anywhere, and goes on from here."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Index, Integer, Text, bindparam, func, text, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import AccountId, CauseId, CommunityId, GrantId, RoundId, SpaceId
from core.slices import slices
from storage.accounts import AccountRow
from storage.communities import CommunityRow
from storage.drifting import settled
from storage.grants import GrantRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.types import Json, UTCDateTime
from storage.upsert import AT_ONCE, insert

_OPEN = text("done_at IS NULL")


class RoundRow(SQLModel, table=True):
    """One round through a community's members, on every platform. At most one is under way in a community."""

    __tablename__ = "rounds"
    __table_args__ = (
        Index("uq_rounds_open", "community_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_rounds_community_id", "community_id", "started_at"),
    )

    id: RoundId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    started_at: datetime = Field(sa_type=UTCDateTime)
    space_id: SpaceId = Field(default=SpaceId(""), sa_type=Text)
    """The place it is at; those before it, by their id, are done."""
    account_id: AccountId = Field(default=AccountId(""), sa_type=Text)
    """The last account there that was looked at."""
    looked: int = 0
    """How many seats (an account in a space) were looked at."""
    found: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    """How many grants were found to be what, in words."""
    silent: list[str] = Field(default_factory=list, sa_type=Json)
    """Places that gave no answer, by name."""
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    cause_id: CauseId = Field(sa_type=Text)


_OPEN_ONE = select(RoundRow).where(RoundRow.community_id == bindparam("community"), col(RoundRow.done_at).is_(None))
_LAST_DONE = select(func.max(RoundRow.done_at)).where(col(RoundRow.community_id) == bindparam("community"))
_IN_SPACE = (col(ResourceRow.space_id) == bindparam("space"), col(AccountRow.active), settled())
_ACCOUNTS = (
    select(AccountRow)
    .join(GrantRow, col(GrantRow.account_id) == col(AccountRow.id))
    .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
    .where(*_IN_SPACE, col(AccountRow.id) > bindparam("after"))
    .distinct()
    .order_by(col(AccountRow.id))
    .limit(bindparam("limit", type_=Integer))
)
_GRANTS = (
    select(GrantRow, ResourceRow)
    .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
    .where(settled(), col(ResourceRow.space_id) == bindparam("space"), col(GrantRow.account_id).in_(bindparam("accounts", expanding=True)))
)
_SEATS = (
    select(func.count(func.distinct(col(GrantRow.account_id).concat(" ").concat(col(ResourceRow.space_id)))))
    .select_from(GrantRow)
    .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
    .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
    .join(AccountRow, col(AccountRow.id) == col(GrantRow.account_id))
    .where(col(GrantRow.community_id) == bindparam("community"), settled(), col(AccountRow.active), col(SpaceRow.connected))
)
_SPACES = select(SpaceRow).where(
    SpaceRow.community_id == bindparam("community"), col(SpaceRow.connected), col(SpaceRow.id) >= bindparam("since")
)


async def begin(session: AsyncSession, row: RoundRow) -> RoundRow:
    """Return the round that is under way in a community, or begin this one."""
    await session.execute(insert(session, RoundRow).values(row.model_dump()).on_conflict_do_nothing())
    return (await session.exec(_OPEN_ONE, params={"community": row.community_id})).one()


async def under_way(session: AsyncSession, community: CommunityId) -> RoundRow | None:
    """Return the round that was begun and is not done, if there is one."""
    return (await session.exec(_OPEN_ONE, params={"community": community})).first()


async def last_done(session: AsyncSession, community: CommunityId) -> datetime | None:
    """Return when the last one was done."""
    return (await session.exec(_LAST_DONE, params={"community": community})).one()


async def communities(session: AsyncSession) -> Sequence[CommunityRow]:
    """Return every community, oldest first."""
    return (await session.exec(select(CommunityRow).order_by(col(CommunityRow.created_at), col(CommunityRow.id)))).all()


async def spaces(session: AsyncSession, community: CommunityId, since: SpaceId) -> Sequence[SpaceRow]:
    """Return a community's connected places from one on, by their id."""
    return (await session.exec(_SPACES.order_by(col(SpaceRow.id)), params={"community": community, "since": since})).all()


async def accounts(session: AsyncSession, space: SpaceId, after: AccountId, limit: int) -> Sequence[AccountRow]:
    """Return the next accounts with something in a place that only the platform can tell more about."""
    return (await session.exec(_ACCOUNTS, params={"space": space, "after": after, "limit": limit})).all()


async def grants(session: AsyncSession, space: SpaceId, of: Collection[AccountId]) -> list[tuple[GrantRow, ResourceRow]]:
    """Return what some accounts have in a place by our rows, as far as it is settled."""
    return list((await session.exec(_GRANTS, params={"space": space, "accounts": list(of)})).all())


async def seats(session: AsyncSession, community: CommunityId) -> int:
    """Count what there is to look at: accounts in places."""
    return int((await session.exec(_SEATS, params={"community": community})).one())


async def confirm(session: AsyncSession, which: Sequence[GrantId], now: datetime) -> None:
    """Note that the platform has just said of some grants that they are as they should be; what has changed meanwhile stays as it is."""
    for some in slices(which, AT_ONCE):
        await session.execute(update(GrantRow).where(col(GrantRow.id).in_(some), settled()).values(checked_at=now))
