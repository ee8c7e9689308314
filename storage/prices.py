"""What plans cost. A plan keeps every price it ever had, since old subscriptions keep theirs."""

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, bindparam
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, PlanId, PriceId, StripeAccountId
from core.money import Money
from storage.types import owned, scoped


class PriceRow(SQLModel, table=True):
    """One price of a plan at the processor."""

    __tablename__ = "prices"
    __table_args__ = (
        owned("prices"),
        scoped("prices", "plan_id", "plans"),
        UniqueConstraint("stripe_account_id", "stripe_price_id", name="uq_prices_stripe"),
        Index("ix_prices_plan_id", "plan_id"),
        CheckConstraint("amount > 0", name="ck_prices_amount"),
    )

    id: PriceId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    plan_id: PlanId = Field(sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    stripe_price_id: str | None = None
    """None until the processor has made it."""
    amount: int = Field(sa_type=BigInteger)
    """Minor units."""
    currency: str = Field(max_length=3)
    active: bool = True

    @property
    def money(self) -> Money:
        """The price as money."""
        return Money(self.amount, self.currency)


_OF_STRIPE_PRICE = select(PriceRow).where(
    PriceRow.stripe_account_id == bindparam("account"), PriceRow.stripe_price_id == bindparam("price")
)


async def plan_of(session: AsyncSession, account: StripeAccountId, stripe_price_id: str) -> tuple[CommunityId, PlanId] | None:
    """Return which plan of which community a price of the processor belongs to."""
    price = (await session.exec(_OF_STRIPE_PRICE, params={"account": account, "price": stripe_price_id})).first()
    return (price.community_id, price.plan_id) if price else None
