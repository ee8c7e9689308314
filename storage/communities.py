"""The creator's tenant."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, SpaceId
from storage.types import UTCDateTime


class CommunityRow(SQLModel, table=True):
    """A community: what a creator set up, and whether mass changes to it are stopped."""

    __tablename__ = "communities"

    id: CommunityId = Field(sa_type=Text, primary_key=True)
    name: str
    currency: str = Field(max_length=3)
    """Default currency for prices and tips, ISO 4217."""
    grace_days: int | None = None
    """Days of access after a failed renewal; None means the operator's default."""
    notice_space_id: SpaceId | None = Field(default=None, sa_type=Text)
    notice_channel: str = ""
    """External id of the channel for notices to the creator; empty means the installer is told directly."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """Since when mass revocation waits for a person's word; None when it does not."""
    stopped_reason: str = ""
    confirmed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When a person last said the stopped sweep may go on."""


async def find(session: AsyncSession, community: CommunityId) -> CommunityRow | None:
    """Find a community by its id."""
    return await session.get(CommunityRow, community)
