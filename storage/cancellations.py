"""Why members leave, and what kept some of them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, SubscriptionId
from storage.types import UTCDateTime, scoped


class Outcome(StrEnum):
    """What became of somebody who began to cancel."""

    CANCELLED = "cancelled"
    SAVED = "saved"
    """They took what was offered to stay: an offer is made once."""
    PAUSED = "paused"


class CancellationRow(SQLModel, table=True):
    """One decision, with the reason that was given."""

    __tablename__ = "cancellations"
    __table_args__ = (
        scoped("cancellations", "member_id", "members"),
        scoped("cancellations", "subscription_id", "subscriptions"),
        Index("ix_cancellations_subscription_id", "subscription_id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    subscription_id: SubscriptionId = Field(sa_type=Text)
    reason: str
    """The processor's word for it: ``too_expensive`` and the like."""
    outcome: Outcome = Field(sa_type=Text)
    at: datetime = Field(sa_type=UTCDateTime)


async def saved(session: AsyncSession, subscription: SubscriptionId) -> bool:
    """Say whether a subscriber took an offer to stay before."""
    query = select(CancellationRow.id).where(CancellationRow.subscription_id == subscription, CancellationRow.outcome == Outcome.SAVED)
    return (await session.exec(query.limit(1))).first() is not None
