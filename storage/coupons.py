"""Codes that take something off, made from chat."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, CouponId, PlanId, StripeAccountId
from core.money import Money
from storage.types import UTCDateTime, owned, scoped

_LIVE = text("ended_at IS NULL")


class CouponRow(SQLModel, table=True):
    """One coupon of the processor's, with the promotion code people type."""

    __tablename__ = "coupons"
    __table_args__ = (
        owned("coupons"),
        scoped("coupons", "plan_id", "plans"),
        Index("uq_coupons_code", "stripe_account_id", "code", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_coupons_community_id", "community_id", "created_at"),
    )

    id: CouponId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    code: str
    """In capitals: whoever types it in small letters is understood."""
    percent: int | None = None
    amount: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = Field(default=None, max_length=3)
    months: int | None = None
    """For how many months it works: None for one payment, 0 for all of them."""
    plan_id: PlanId | None = Field(default=None, sa_type=Text)
    """The one plan it is for; None for every plan there was when it was made."""
    max_uses: int | None = None
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    stripe_coupon_id: str = ""
    stripe_promotion_id: str = ""
    """Both empty until the processor has made them."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @property
    def off(self) -> str:
        """What it takes off, in words."""
        return f"{self.percent} %" if self.percent is not None else str(Money(self.amount or 0, self.currency or ""))


async def by_code(session: AsyncSession, account: StripeAccountId, code: str) -> CouponRow | None:
    """Find the live coupon of a code, whichever community it is of: the processor takes a code once."""
    query = select(CouponRow).where(CouponRow.stripe_account_id == account, CouponRow.code == code, col(CouponRow.ended_at).is_(None))
    return (await session.exec(query)).first()


async def live(session: AsyncSession, community: CommunityId, now: datetime) -> Sequence[CouponRow]:
    """Return a community's coupons that still work as far as we know, the newest first."""
    query = select(CouponRow).where(
        CouponRow.community_id == community, col(CouponRow.ended_at).is_(None), CouponRow.stripe_promotion_id != ""
    )
    rows = (await session.exec(query.order_by(col(CouponRow.created_at).desc()))).all()
    return [row for row in rows if row.expires_at is None or row.expires_at > now]
