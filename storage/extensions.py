"""Days given to somebody who pays already: their next payment moves by as much."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CauseId, CommunityId, SubscriptionId
from storage.types import UTCDateTime, scoped

_TO_DO = text("done_at IS NULL")


class ExtensionRow(SQLModel, table=True):
    """One move of a subscription's next payment, written before the processor is asked: a crash in between is made up for."""

    __tablename__ = "extensions"
    __table_args__ = (
        scoped("extensions", "subscription_id", "subscriptions"),
        UniqueConstraint("source_id", "undoes", name="uq_extensions_source"),
        Index("ix_extensions_to_do", "at", sqlite_where=_TO_DO, postgresql_where=_TO_DO),
        Index("ix_extensions_subscription_id", "subscription_id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    subscription_id: SubscriptionId = Field(sa_type=Text)
    source_id: str
    """The gift's or the comp's id."""
    undoes: bool = False
    """Whether it takes back what the same source gave."""
    seconds: int
    """By how much."""
    until: datetime = Field(sa_type=UTCDateTime)
    """When the next payment is then; a moment, so that asking twice is asking once."""
    at: datetime = Field(sa_type=UTCDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    cause_id: CauseId = Field(sa_type=Text)


async def of_source(session: AsyncSession, source_id: str, *, undoes: bool = False) -> ExtensionRow | None:
    """Find what a source moved."""
    query = select(ExtensionRow).where(ExtensionRow.source_id == source_id, col(ExtensionRow.undoes).is_(undoes))
    return (await session.exec(query)).first()


async def to_do(session: AsyncSession, before: datetime, limit: int) -> Sequence[ExtensionRow]:
    """Return the moves written before a moment that the processor was not told of yet, the oldest first."""
    query = select(ExtensionRow).where(col(ExtensionRow.done_at).is_(None), ExtensionRow.at <= before)
    return (await session.exec(query.order_by(col(ExtensionRow.at)).limit(limit))).all()


async def moved(session: AsyncSession, subscription: SubscriptionId) -> bool:
    """Say whether time given to a member has moved a subscription's next payment."""
    query = select(ExtensionRow.id).where(ExtensionRow.subscription_id == subscription, col(ExtensionRow.undoes).is_(other=False))
    return (await session.exec(query.limit(1))).first() is not None


async def undone(session: AsyncSession, subscription: SubscriptionId) -> bool:
    """Say whether a move of a subscription waits for the processor."""
    query = select(ExtensionRow.id).where(ExtensionRow.subscription_id == subscription, col(ExtensionRow.done_at).is_(None))
    return (await session.exec(query.limit(1))).first() is not None
