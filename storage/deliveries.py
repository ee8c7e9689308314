"""What was paid for and is watched until whoever paid is inside."""

from datetime import datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, OrderId
from storage.types import UTCDateTime, scoped

_OPEN = text("done_at IS NULL")


class DeliveryRow(SQLModel, table=True):
    """One paid order, from the moment its payment is known. ``outcome`` says how it ended: inside, over, or given back."""

    __tablename__ = "deliveries"
    __table_args__ = (
        scoped("deliveries", "order_id", "orders"),
        Index("ix_deliveries_due", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    order_id: OrderId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    paid_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    """When it is looked at next."""
    nudged_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the payer was shown another way in."""
    asked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the creator was asked, with the way to give the money back."""
    why: str = ""
    """What kept them outside when it was looked at last."""
    outcome: str = ""
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


def watch(session: AsyncSession, community: CommunityId, order: OrderId, now: datetime) -> None:
    """Begin to watch an order that was just paid."""
    session.add(DeliveryRow(order_id=order, community_id=community, paid_at=now, due_at=now))
