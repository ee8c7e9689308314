"""Subscribers who are to pay another price, with notice."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CauseId, CommunityId, PriceId, SubscriptionId
from storage.subscriptions import OVER, SubscriptionRow
from storage.types import UTCDateTime, scoped
from storage.upsert import insert

_TO_DO = text("done_at IS NULL")


class PriceMoveRow(SQLModel, table=True):
    """One subscriber's move: told at once, done at the first renewal after the notice."""

    __tablename__ = "price_moves"
    __table_args__ = (
        scoped("price_moves", "subscription_id", "subscriptions"),
        scoped("price_moves", "price_id", "prices"),
        UniqueConstraint("subscription_id", "price_id", name="uq_price_moves_once"),
        Index("ix_price_moves_due", "due_at", sqlite_where=_TO_DO, postgresql_where=_TO_DO),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    subscription_id: SubscriptionId = Field(sa_type=Text)
    price_id: PriceId = Field(sa_type=Text)
    due_at: datetime = Field(sa_type=UTCDateTime)
    """The notice ends: from then on the processor holds the new price for the next renewal."""
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    error: str = ""
    """Why the processor refused it, where it did; it is not tried again."""
    cause_id: CauseId = Field(sa_type=Text)


async def due(session: AsyncSession, now: datetime, limit: int) -> Sequence[PriceMoveRow]:
    """Return the moves whose notice is over, the oldest first."""
    query = select(PriceMoveRow).where(col(PriceMoveRow.done_at).is_(None), PriceMoveRow.due_at <= now)
    return (await session.exec(query.order_by(col(PriceMoveRow.due_at), col(PriceMoveRow.id)).limit(limit))).all()


async def add(session: AsyncSession, row: PriceMoveRow) -> bool:
    """Store a move; False where the subscriber was told of it before."""
    statement = insert(session, PriceMoveRow).on_conflict_do_nothing().returning(col(PriceMoveRow.id))
    return (await session.execute(statement, row.model_dump())).first() is not None


async def payers_of(session: AsyncSession, community: CommunityId, stripe_price_id: str) -> Sequence[SubscriptionRow]:
    """Return the subscriptions that go on at a price."""
    query = select(SubscriptionRow).where(
        SubscriptionRow.community_id == community,
        SubscriptionRow.stripe_price_id == stripe_price_id,
        col(SubscriptionRow.status).not_in(OVER),
    )
    return (await session.exec(query)).all()
