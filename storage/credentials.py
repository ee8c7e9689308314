"""Secrets of accounts and installations, encrypted."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Index, Text, delete, or_, update
from sqlmodel import Field, SQLModel, col

from core.clock import Clock
from core.credentials import Lease
from core.ids import PlatformName
from storage.database import Database
from storage.purge import Purge
from storage.types import Encrypted, UTCDateTime
from storage.upsert import insert, table


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


class CredentialStore:
    """The credentials port over this table, each call its own short transaction."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def put(self, platform: PlatformName, subject: str, purpose: str, secret: str, expires_at: datetime | None) -> None:
        async with self._db.transaction() as session:
            row = insert(session, CredentialRow).values(
                platform=platform, subject=subject, purpose=purpose, secret=secret, expires_at=expires_at, epoch=0
            )
            replaced = {"secret": row.excluded.secret, "expires_at": row.excluded.expires_at}
            await session.execute(row.on_conflict_do_update(index_elements=["platform", "subject", "purpose"], set_=replaced))

    async def get(self, platform: PlatformName, subject: str, purpose: str) -> str | None:
        async with self._db.glance() as session:
            row = await session.get(CredentialRow, (platform, subject, purpose))
        if row is None or (row.expires_at is not None and row.expires_at <= self._clock.now()):
            return None
        return row.secret

    async def forget(self, platform: PlatformName, subject: str, purpose: str) -> None:
        async with self._db.transaction() as session:
            await session.execute(delete(CredentialRow).where(*_named(platform, subject, purpose)))

    async def lease(self, platform: PlatformName, subject: str, purpose: str, lifetime: timedelta) -> Lease | None:
        now = self._clock.now()
        free = or_(col(CredentialRow.leased_until).is_(None), col(CredentialRow.leased_until) <= now)
        async with self._db.transaction() as session:
            taken = (
                update(CredentialRow)
                .where(*_named(platform, subject, purpose), free)
                .values(epoch=CredentialRow.epoch + 1, leased_until=now + lifetime)
                .returning(col(CredentialRow.secret), col(CredentialRow.epoch))
            )
            found = (await session.execute(taken)).one_or_none()
        return Lease(*found) if found else None

    async def renew(
        self, platform: PlatformName, subject: str, purpose: str, lease: Lease, secret: str, expires_at: datetime | None
    ) -> bool:
        async with self._db.transaction() as session:
            mine = (
                update(CredentialRow)
                .where(*_named(platform, subject, purpose), col(CredentialRow.epoch) == lease.epoch)
                .values(secret=secret, expires_at=expires_at, leased_until=None)
                .returning(col(CredentialRow.epoch))
            )
            return (await session.execute(mine)).one_or_none() is not None


def _named(platform: PlatformName, subject: str, purpose: str) -> tuple[ColumnElement[bool], ...]:
    return (col(CredentialRow.platform) == platform, col(CredentialRow.subject) == subject, col(CredentialRow.purpose) == purpose)


purge = Purge(table(CredentialRow), "expires_at")
"""Secrets whose time is over; one without an end stays."""
