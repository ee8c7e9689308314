"""People of a community."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId
from storage.types import UTCDateTime, owned


class MemberRow(SQLModel, table=True):
    """A person in a community, whatever accounts they have."""

    __tablename__ = "members"
    __table_args__ = (owned("members"),)

    id: MemberId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    created_at: datetime = Field(sa_type=UTCDateTime)


async def hold(session: AsyncSession, member: MemberId) -> None:
    """Hold others who decide about a member off until this transaction ends (SQLite has one writer anyway)."""
    await session.exec(select(MemberRow.id).where(MemberRow.id == member).with_for_update(key_share=True))
