"""OAuth round trips under way, and the short browser sessions they end in. Only hashes are stored."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from core.ids import PlatformName, PlatformUserId
from storage.types import UTCDateTime


class StateRow(SQLModel, table=True):
    """One round trip: bound to the browser and the purpose, used once."""

    __tablename__ = "states"
    __table_args__ = (Index("ix_states_expires_at", "expires_at"),)

    state_hash: str = Field(primary_key=True)
    browser_hash: str
    platform: PlatformName = Field(sa_type=Text)
    purpose: str
    subject: str
    """What it is for: an invite's code."""
    expires_at: datetime = Field(sa_type=UTCDateTime)


class BrowserRow(SQLModel, table=True):
    """A browser that proved which account it speaks for."""

    __tablename__ = "browsers"
    __table_args__ = (Index("ix_browsers_expires_at", "expires_at"),)

    browser_hash: str = Field(primary_key=True)
    platform: PlatformName = Field(sa_type=Text)
    realm: str = ""
    user: PlatformUserId = Field(sa_type=Text)
    name: str
    expires_at: datetime = Field(sa_type=UTCDateTime)
