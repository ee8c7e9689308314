"""Who is in what is sold without having been let in: each is remembered, so that the creator is told once."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Text, bindparam, delete
from sqlmodel import Field, SQLModel, and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, PlatformName, PlatformUserId, ResourceId
from core.platform import ResourceKind
from core.slices import slices
from storage.accounts import AccountRow
from storage.grants import GrantRow, GrantStatus
from storage.plan_resources import PlanResourceRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.types import UTCDateTime, scoped
from storage.upsert import AT_ONCE, insert


class UninvitedRow(SQLModel, table=True):
    """Somebody whom others brought in, for as long as they stay."""

    __tablename__ = "uninvited"
    __table_args__ = (scoped("uninvited", "resource_id", "resources"),)

    resource_id: ResourceId = Field(sa_type=Text, primary_key=True)
    external_id: PlatformUserId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    seen_at: datetime = Field(sa_type=UTCDateTime)


_SOLD = (
    select(ResourceRow, SpaceRow)
    .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
    .where(col(ResourceRow.kind) == bindparam("kind"), col(SpaceRow.connected))
    .where(col(SpaceRow.platform).in_(bindparam("platforms", expanding=True)))
    .where(col(ResourceRow.id).in_(select(PlanResourceRow.resource_id)))
    .order_by(col(ResourceRow.id))
)
_OURS = and_(col(GrantRow.attempted), ~col(GrantRow.found), col(GrantRow.status) != GrantStatus.DONE)
_LET_IN = (
    select(AccountRow.external_id)
    .join(GrantRow, col(GrantRow.account_id) == col(AccountRow.id))
    .where(col(GrantRow.resource_id) == bindparam("resource"), or_(col(GrantRow.wanted), _OURS))
)
_KNOWN = select(UninvitedRow.external_id).where(col(UninvitedRow.resource_id) == bindparam("resource"))


async def sold(session: AsyncSession, kind: ResourceKind, platforms: Collection[PlatformName]) -> list[tuple[ResourceRow, SpaceRow]]:
    """Return everything of a kind that a plan opens, each with its space, where we still are."""
    return list((await session.exec(_SOLD, params={"kind": kind, "platforms": list(platforms)})).all())


async def let_in(session: AsyncSession, resource: ResourceId) -> set[PlatformUserId]:
    """Return who is to have it, and whom we are still to take out of it."""
    return {PlatformUserId(one) for one in await session.exec(_LET_IN, params={"resource": resource})}


async def note(session: AsyncSession, resource: ResourceRow, people: Collection[PlatformUserId], now: datetime) -> list[PlatformUserId]:
    """Remember exactly these people; returns those who are new, in order."""
    known = {PlatformUserId(user) for user in await session.exec(_KNOWN, params={"resource": resource.id})}
    for some in slices(sorted(known.difference(people)), AT_ONCE):
        gone = delete(UninvitedRow).where(col(UninvitedRow.resource_id) == resource.id, col(UninvitedRow.external_id).in_(some))
        await session.execute(gone)
    new: list[PlatformUserId] = []
    for some in slices(sorted(set(people) - known), AT_ONCE):
        rows = [UninvitedRow(resource_id=resource.id, external_id=one, community_id=resource.community_id, seen_at=now) for one in some]
        statement = insert(session, UninvitedRow).values([row.model_dump() for row in rows]).on_conflict_do_nothing()
        new += (await session.execute(statement.returning(col(UninvitedRow.external_id)))).scalars()
    return sorted(new)
