"""Who a member is on a platform."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from core.ids import AccountId, CommunityId, MemberId, PlatformName, PlatformUserId
from storage.types import UTCDateTime, owned, scoped

_ACTIVE = text("active")


class AccountRow(SQLModel, table=True):
    """One account. At most one active account per member and (platform, realm)."""

    __tablename__ = "accounts"
    __table_args__ = (
        owned("accounts"),
        scoped("accounts", "member_id", "members"),
        UniqueConstraint("community_id", "platform", "realm", "external_id", name="uq_accounts_external"),
        Index("uq_accounts_active", "member_id", "platform", "realm", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
    )

    id: AccountId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    platform: PlatformName = Field(sa_type=Text)
    realm: str = ""
    external_id: PlatformUserId = Field(sa_type=Text)
    name: str
    """As the platform last showed it; never trusted for anything but showing, escaped."""
    active: bool = True
    created_at: datetime = Field(sa_type=UTCDateTime)
