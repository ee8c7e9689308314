"""Which resources a plan opens."""

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from core.ids import CommunityId, PlanId, ResourceId
from storage.types import scoped


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
