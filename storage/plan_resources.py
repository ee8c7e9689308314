"""Which resources a plan opens."""

from collections.abc import Sequence

from sqlalchemy import Index, Text, delete
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, PlanId, ResourceId
from storage.types import scoped
from storage.upsert import insert


class PlanResourceRow(SQLModel, table=True):
    """A plan opens a resource."""

    __tablename__ = "plan_resources"
    __table_args__ = (
        scoped("plan_resources", "plan_id", "plans"),
        scoped("plan_resources", "resource_id", "resources"),
        Index("ix_plan_resources_resource_id", "resource_id"),
    )

    plan_id: PlanId = Field(sa_type=Text, primary_key=True)
    resource_id: ResourceId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)


async def add(session: AsyncSession, community: CommunityId, plan: PlanId, resource: ResourceId) -> bool:
    """Let a plan open a resource; returns False when it did already."""
    row = PlanResourceRow(plan_id=plan, resource_id=resource, community_id=community)
    statement = insert(session, PlanResourceRow).values(row.model_dump()).on_conflict_do_nothing().returning(col(PlanResourceRow.plan_id))
    return (await session.execute(statement)).first() is not None


async def remove(session: AsyncSession, plan: PlanId, resource: ResourceId) -> None:
    """Let a plan open a resource no more."""
    statement = delete(PlanResourceRow).where(col(PlanResourceRow.plan_id) == plan, col(PlanResourceRow.resource_id) == resource)
    await session.execute(statement)


async def of_plan(session: AsyncSession, plan: PlanId) -> Sequence[ResourceId]:
    """Return what a plan opens."""
    return [ResourceId(found) for found in await session.exec(select(PlanResourceRow.resource_id).where(PlanResourceRow.plan_id == plan))]
