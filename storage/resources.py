"""Roles, channels and groups that plans open."""

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.ids import CommunityId, ResourceId, SpaceId
from core.platform import Resource, ResourceKind, Space
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

    def resource(self, space: Space) -> Resource:
        """The resource as the platform port knows it."""
        return Resource(space, ResourceKind(self.kind), self.external_id)
