"""Memberships somebody paid for and somebody else has."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, bindparam
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import AccountId, CommunityId, GiftId, MemberId, PlanId, StripeAccountId
from core.money import Money
from core.payments import Interval, IntervalUnit
from storage.audit import Trail, record
from storage.types import UTCDateTime, owned, scoped


class GiftStatus(StrEnum):
    """How a gift stands."""

    OPEN = "open"
    """Its giver is at the checkout."""
    PENDING = "pending"
    PAID = "paid"
    """Paid for, and nobody has taken it yet."""
    TAKEN = "taken"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class GiftRow(SQLModel, table=True):
    """One gift: for somebody named, or for whoever opens its link first."""

    __tablename__ = "gifts"
    __table_args__ = (
        owned("gifts"),
        scoped("gifts", "member_id", "members"),
        scoped("gifts", "plan_id", "plans"),
        scoped("gifts", "for_account_id", "accounts"),
        scoped("gifts", "taken_by", "members"),
        UniqueConstraint("code_hash", name="uq_gifts_code_hash"),
        UniqueConstraint("stripe_account_id", "checkout_session_id", name="uq_gifts_checkout"),
        Index("ix_gifts_plan_id", "plan_id"),
        Index("ix_gifts_member_id", "member_id"),
    )

    id: GiftId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    """Who gives."""
    giver: str
    """Their name as it is shown to whoever gets it."""
    plan_id: PlanId = Field(sa_type=Text)
    interval_unit: IntervalUnit = Field(sa_type=Text)
    """What it lasts: months and years by the calendar."""
    interval_count: int = 1
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    for_account_id: AccountId | None = Field(default=None, sa_type=Text)
    """Whose it is; None for whoever opens its link."""
    code_hash: str | None = None
    """What the gift link ends in, hashed."""
    status: GiftStatus = Field(default=GiftStatus.OPEN, sa_type=Text)
    taken_by: MemberId | None = Field(default=None, sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    checkout_session_id: str | None = None
    checkout_url: str = ""
    stripe_payment_intent_id: str = ""
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    """When its checkout closes."""
    paid_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @property
    def money(self) -> Money:
        """What it costs."""
        return Money(self.amount, self.currency)

    @property
    def interval(self) -> Interval:
        """How long it lasts."""
        return Interval(IntervalUnit(self.interval_unit), self.interval_count)


_BY_CODE = select(GiftRow).where(GiftRow.code_hash == bindparam("code"))


async def by_code(session: AsyncSession, code_hash: str, *, lock: bool = False) -> GiftRow | None:
    """Find a gift by its link's code; with ``lock`` nobody else takes it until this transaction ends."""
    query = _BY_CODE.with_for_update() if lock else _BY_CODE
    return (await session.exec(query, params={"code": code_hash})).first()


async def given_by(session: AsyncSession, member: MemberId, limit: int) -> Sequence[GiftRow]:
    """Return what a member gave, the newest first."""
    query = select(GiftRow).where(GiftRow.member_id == member).order_by(col(GiftRow.created_at).desc()).limit(limit)
    return (await session.exec(query)).all()


def advance(session: AsyncSession, gift: GiftRow, status: GiftStatus, trail: Trail, answer: str = "") -> None:
    """Write how a gift stands now, and why; nothing where it stands so already."""
    before, gift.status = str(gift.status), status
    session.add(gift)
    if before != status:
        record(session, trail, gift.community_id, f"gift.{status}", ("gift", gift.id), member=gift.member_id,
               before={"status": before}, after={"status": str(status)}, answer=answer)  # fmt: skip
