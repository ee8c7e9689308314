"""Roles, channels and groups that plans open."""

from collections.abc import Collection, Sequence

from sqlalchemy import Text, UniqueConstraint, bindparam, or_
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, Ids, ResourceId, SpaceId
from core.platform import Resource, ResourceKind, ResourceLabel, Space
from storage.plan_resources import PlanResourceRow
from storage.spaces import SpaceRow
from storage.types import owned, scoped


class ResourceRow(SQLModel, table=True):
    """One resource of a space that some plan opens or opened."""

    __tablename__ = "resources"
    __table_args__ = (
        owned("resources"),
        scoped("resources", "space_id", "spaces"),
        UniqueConstraint("space_id", "kind", "external_id", name="uq_resources_external"),
    )

    id: ResourceId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    space_id: SpaceId = Field(sa_type=Text)
    kind: ResourceKind = Field(sa_type=Text)
    external_id: str
    name: str
    problem: str = ""
    """What the creator must mend before this can be granted or sold, in a sentence; empty when all is well."""
    problem_code: str = ""
    found_well: int = 0
    """How often it was looked at and in order: a refusal that began before the last time says nothing about now."""

    def resource(self, space: Space) -> Resource:
        """The resource as the platform port knows it."""
        return Resource(space, ResourceKind(self.kind), self.external_id)


_WITH_SPACES = (
    select(ResourceRow, SpaceRow)
    .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
    .where(col(ResourceRow.id).in_(bindparam("ids", expanding=True)))
)


async def find(session: AsyncSession, space: SpaceId, resource: Resource) -> ResourceRow | None:
    """Find a resource of a space by what the platform calls it."""
    query = select(ResourceRow).where(
        ResourceRow.space_id == space, ResourceRow.kind == resource.kind, ResourceRow.external_id == resource.external_id
    )
    return (await session.exec(query)).first()


async def held_for_change(session: AsyncSession, resource: ResourceId) -> ResourceRow:
    """Return a resource as it is now, and let nobody else change it until this is written down."""
    query = select(ResourceRow).where(ResourceRow.id == resource).with_for_update()
    return (await session.exec(query, execution_options={"populate_existing": True})).one()


async def ensure(session: AsyncSession, community: CommunityId, space: SpaceId, label: ResourceLabel, ids: Ids) -> ResourceRow:
    """Return a space's resource, making the row when it is new; a row known to be broken is fresh again, for it was just checked."""
    known = await find(session, space, label.resource)
    row = known or ResourceRow(
        id=ResourceId(ids.new()),
        community_id=community,
        space_id=space,
        kind=label.resource.kind,
        external_id=label.resource.external_id,
        name=label.name,
    )
    row.name, row.problem, row.problem_code = label.name, "", ""
    session.add(row)
    await session.flush()
    return row


async def with_spaces(session: AsyncSession, ids: Collection[ResourceId]) -> dict[ResourceId, tuple[ResourceRow, SpaceRow]]:
    """Return resources by id, each with its space."""
    return {row.id: (row, space) for row, space in await session.exec(_WITH_SPACES, params={"ids": list(ids)})}


async def on_offer(session: AsyncSession, space: SpaceId) -> Sequence[ResourceRow]:
    """Return the resources of a space that a plan opens, or that are known to be broken."""
    opened = select(PlanResourceRow.resource_id)
    query = select(ResourceRow).where(ResourceRow.space_id == space, or_(col(ResourceRow.id).in_(opened), col(ResourceRow.problem) != ""))
    return (await session.exec(query)).all()
