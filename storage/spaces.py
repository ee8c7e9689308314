"""A community's servers and workspaces."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint, bindparam
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.dispatch import Lane, platform_lane
from core.ids import CommunityId, PlatformName, PlatformUserId, SpaceId
from core.platform import Space
from storage.types import UTCDateTime, owned


class SpaceRow(SQLModel, table=True):
    """One server or workspace; it belongs to exactly one community."""

    __tablename__ = "spaces"
    __table_args__ = (owned("spaces"), UniqueConstraint("platform", "realm", "external_id", name="uq_spaces_external"))

    id: SpaceId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    platform: PlatformName = Field(sa_type=Text)
    realm: str = ""
    external_id: str
    name: str
    installer: PlatformUserId = Field(sa_type=Text)
    """Who brought us in (or owns the space): told what a creator must know when no notice channel is set."""
    connected: bool = True
    """False once we were removed; an outage does not change it."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    invite_link: str = ""
    """The creator's own shared link into the space, where the platform lets nobody be brought in; empty when they gave none."""
    invite_link_set_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    invite_link_uses: int = 0
    """How many came in since it was given: at most so many came through it."""
    invite_link_told: bool = False
    """Its creator has been told that it is about to stop working."""

    @property
    def space(self) -> Space:
        """The space as the platform port knows it."""
        return Space(self.platform, self.realm, self.external_id)

    @property
    def lane(self) -> Lane:
        """Where calls to this space queue."""
        return platform_lane(self.platform, self.realm)


_FIND = select(SpaceRow).where(
    SpaceRow.platform == bindparam("platform"), SpaceRow.realm == bindparam("realm"), SpaceRow.external_id == bindparam("external_id")
)


async def find(session: AsyncSession, space: Space) -> SpaceRow | None:
    """Find a space by what the platform calls it."""
    which = {"platform": space.platform, "realm": space.realm, "external_id": space.external_id}
    return (await session.exec(_FIND, params=which)).first()
