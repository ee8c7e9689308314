"""Members as the processor knows them."""

from collections.abc import Sequence

from sqlalchemy import Text, UniqueConstraint, bindparam, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, CustomerId, MemberId, StripeAccountId
from storage.types import scoped
from storage.upsert import keep_first


class CustomerRow(SQLModel, table=True):
    """A member is this customer of that account, for what is paid in one currency: Stripe combines no two on a customer."""

    __tablename__ = "customers"
    __table_args__ = (
        scoped("customers", "member_id", "members"),
        UniqueConstraint("stripe_account_id", "stripe_customer_id", name="uq_customers_stripe"),
        UniqueConstraint("member_id", "stripe_account_id", "currency", name="uq_customers_member"),
    )

    id: CustomerId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    stripe_customer_id: str
    currency: str = Field(max_length=3)


_OF_MEMBER = select(CustomerRow.stripe_customer_id).where(
    CustomerRow.member_id == bindparam("member"),
    CustomerRow.stripe_account_id == bindparam("account"),
    CustomerRow.currency == bindparam("currency"),
)


async def of_member(session: AsyncSession, member: MemberId, account: StripeAccountId, currency: str) -> str:
    """Return the member's customer id at the processor for a currency; empty when there is none."""
    whose = {"member": member, "account": account, "currency": currency}
    return (await session.exec(_OF_MEMBER, params=whose)).first() or ""


async def every(session: AsyncSession, member: MemberId, account: StripeAccountId) -> Sequence[str]:
    """Return all a member's customer ids at the processor."""
    query = select(CustomerRow.stripe_customer_id).where(CustomerRow.member_id == member, CustomerRow.stripe_account_id == account)
    return (await session.exec(query.order_by(col(CustomerRow.currency)))).all()


async def keep(session: AsyncSession, row: CustomerRow) -> str:
    """Store who a member is at the processor and return it; the first one stays."""
    await keep_first(session, row)
    return await of_member(session, row.member_id, row.stripe_account_id, row.currency)


async def replace(session: AsyncSession, account: StripeAccountId, gone: str, new: str) -> None:
    """Put a new customer in the place of one the processor has no more; where somebody else did, nothing happens."""
    statement = update(CustomerRow).where(col(CustomerRow.stripe_account_id) == account, col(CustomerRow.stripe_customer_id) == gone)
    await session.execute(statement.values(stripe_customer_id=new))
