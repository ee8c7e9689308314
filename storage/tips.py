"""Money from a member to the creator, for nothing but thanks."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, func
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, SpaceId, StripeAccountId, TipId
from core.money import Money
from storage.audit import Trail, record
from storage.types import UTCDateTime, scoped


class TipStatus(StrEnum):
    """How a tip stands."""

    OPEN = "open"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    """The delayed payment did not arrive."""
    REFUNDED = "refunded"
    EXPIRED = "expired"


class TipRow(SQLModel, table=True):
    """One tip."""

    __tablename__ = "tips"
    __table_args__ = (
        scoped("tips", "member_id", "members"),
        scoped("tips", "space_id", "spaces"),
        UniqueConstraint("stripe_account_id", "checkout_session_id", name="uq_tips_checkout"),
        CheckConstraint("amount > 0", name="ck_tips_amount"),
        Index("ix_tips_community_id", "community_id"),
        Index("ix_tips_member_id", "member_id", "created_at"),
    )

    id: TipId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    member_id: MemberId = Field(sa_type=Text)
    space_id: SpaceId = Field(sa_type=Text)
    """Where the tip was given: where thanks go when no notice channel is set."""
    amount: int = Field(sa_type=BigInteger)
    """Minor units."""
    currency: str = Field(max_length=3)
    message: str = ""
    anonymous: bool = False
    status: TipStatus = Field(default=TipStatus.OPEN, sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    checkout_session_id: str | None = None
    checkout_url: str = ""
    stripe_payment_intent_id: str = ""
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    paid_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @property
    def money(self) -> Money:
        """The tip as money."""
        return Money(self.amount, self.currency)


async def started_since(session: AsyncSession, member: MemberId, since: datetime) -> int:
    """Count the tips a member started at or after ``since``."""
    query = select(func.count()).where(TipRow.member_id == member, TipRow.created_at >= since)
    return (await session.exec(query)).one()


def advance(session: AsyncSession, tip: TipRow, status: TipStatus, trail: Trail, answer: str = "") -> None:
    """Write how a tip stands now, and why; nothing where it stands so already. ``answer`` is the processor's."""
    before, tip.status = str(tip.status), status
    session.add(tip)
    if before != status:
        record(session, trail, tip.community_id, f"tip.{status}", ("tip", tip.id), member=tip.member_id,
               before={"status": before}, after={"status": str(status), "amount": str(tip.money)}, answer=answer)  # fmt: skip
