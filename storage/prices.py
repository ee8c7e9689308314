"""What plans cost. A plan keeps every price it ever had, since old subscriptions keep theirs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, bindparam, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, PlanId, PriceId, StripeAccountId
from core.money import Money
from core.payments import Interval, IntervalUnit
from storage.types import UTCDateTime, owned, scoped

_ON_SALE = text("active")


class PriceRow(SQLModel, table=True):
    """One price of a plan at the processor."""

    __tablename__ = "prices"
    __table_args__ = (
        owned("prices"),
        scoped("prices", "plan_id", "plans"),
        UniqueConstraint("stripe_account_id", "stripe_price_id", name="uq_prices_stripe"),
        Index("ix_prices_plan_id", "plan_id"),
        Index(
            "uq_prices_on_sale", "plan_id", "currency", "interval_unit", "interval_count", unique=True,
            sqlite_where=_ON_SALE, postgresql_where=_ON_SALE,
        ),
        CheckConstraint("amount > 0", name="ck_prices_amount"),
    )  # fmt: skip

    id: PriceId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    plan_id: PlanId = Field(sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    stripe_price_id: str | None = None
    """None until the processor has made it."""
    amount: int = Field(sa_type=BigInteger)
    """Minor units; of a price the payer chooses, what is suggested."""
    currency: str = Field(max_length=3)
    active: bool = True
    """Whether it is on sale."""
    interval_unit: IntervalUnit | None = Field(default=None, sa_type=Text)
    """None where a version before this one wrote it: then the plan's."""
    interval_count: int | None = None
    minimum: int | None = Field(default=None, sa_type=BigInteger)
    """The least the payer may choose, in minor units; None where the price is fixed."""
    parent_id: PriceId | None = Field(default=None, sa_type=Text)
    """The price a payer chose this amount of; such a one is never on sale itself."""
    created_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @property
    def money(self) -> Money:
        """The price as money."""
        return Money(self.amount, self.currency)

    @property
    def floor(self) -> Money | None:
        """The least a payer may choose; None where the price is fixed."""
        return None if self.minimum is None else Money(self.minimum, self.currency)

    def interval_of(self, plan: Interval) -> Interval:
        """Return how often it is paid, or how long what it buys lasts; ``plan`` is the plan's own."""
        return plan if self.interval_unit is None else Interval(IntervalUnit(self.interval_unit), self.interval_count or 1)


_OF_STRIPE_PRICE = select(PriceRow).where(
    PriceRow.stripe_account_id == bindparam("account"), PriceRow.stripe_price_id == bindparam("price")
)
_ALL_ON_SALE = (
    select(PriceRow)
    .where(PriceRow.plan_id == bindparam("plan"), PriceRow.community_id == bindparam("community"), col(PriceRow.active))
    .order_by(col(PriceRow.created_at), col(PriceRow.id))
)
_CHOSEN = select(PriceRow).where(PriceRow.parent_id == bindparam("parent"), PriceRow.amount == bindparam("amount", type_=BigInteger))


async def plan_of(session: AsyncSession, account: StripeAccountId, stripe_price_id: str) -> tuple[CommunityId, PlanId] | None:
    """Return which plan of which community a price of the processor belongs to."""
    price = await of_stripe(session, account, stripe_price_id)
    return (price.community_id, price.plan_id) if price else None


async def of_stripe(session: AsyncSession, account: StripeAccountId, stripe_price_id: str) -> PriceRow | None:
    """Find our row of a price of the processor's."""
    return (await session.exec(_OF_STRIPE_PRICE, params={"account": account, "price": stripe_price_id})).first()


async def on_sale(session: AsyncSession, community: CommunityId, plan: PlanId) -> Sequence[PriceRow]:
    """Return what a plan can be bought for, the oldest first: that one is shown where there is room for one."""
    return (await session.exec(_ALL_ON_SALE, params={"plan": plan, "community": community})).all()


async def chosen(session: AsyncSession, parent: PriceId, amount: int) -> PriceRow | None:
    """Find the row of an amount that somebody chose before."""
    return (await session.exec(_CHOSEN, params={"parent": parent, "amount": amount})).first()
