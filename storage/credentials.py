"""Secrets of accounts and installations, encrypted."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from core.ids import PlatformName
from storage.types import Encrypted, UTCDateTime


class CredentialRow(SQLModel, table=True):
    """One secret under (platform, subject, purpose)."""

    __tablename__ = "credentials"
    __table_args__ = (Index("ix_credentials_expires_at", "expires_at"),)

    platform: PlatformName = Field(sa_type=Text, primary_key=True)
    subject: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    secret: str = Field(sa_type=Encrypted("credentials.secret"))
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    epoch: int = 0
    """Raised by whoever takes the lease to renew it; a result under an older epoch is thrown away."""
    leased_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
