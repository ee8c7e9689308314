"""OAuth round trips under way, and the short browser sessions they end in. Only hashes are stored."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Index, Text, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from core.ids import PlatformName, PlatformUserId
from storage.purge import Purge
from storage.types import UTCDateTime
from storage.upsert import table


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


def hashed(secret: str) -> str:
    """Return what rows know a secret of 256 random bits by: nothing slower is needed."""
    return sha256(secret.encode()).hexdigest()


async def put(session: AsyncSession, row: StateRow | BrowserRow) -> None:
    """Store a round trip, or what one proved."""
    session.add(row)


async def take(session: AsyncSession, state_hash: str) -> StateRow | None:
    """Use a round trip up, whoever asks: of two callbacks with one state, one gets it. The caller checks whose it is and its time."""
    return (await session.scalars(delete(StateRow).where(col(StateRow.state_hash) == state_hash).returning(StateRow))).one_or_none()


async def find(session: AsyncSession, state_hash: str) -> StateRow | None:
    """Return a round trip or a code without using it up."""
    return await session.get(StateRow, state_hash)


async def proven(session: AsyncSession, browser_hash: str, now: datetime) -> BrowserRow | None:
    """Return who the browser speaks for, or None when it never proved it or its time is over."""
    query = select(BrowserRow).where(col(BrowserRow.browser_hash) == browser_hash, col(BrowserRow.expires_at) > now)
    return (await session.scalars(query)).one_or_none()


async def forget(session: AsyncSession, browser_hash: str) -> None:
    """End what a browser proved; one that proved nothing is fine."""
    await session.execute(delete(BrowserRow).where(col(BrowserRow.browser_hash) == browser_hash))


purge_states = Purge(table(StateRow), "expires_at")
"""Round trips whose time is over."""
purge_browsers = Purge(table(BrowserRow), "expires_at")
"""Proofs whose time is over."""
