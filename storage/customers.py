"""Members as the processor knows them."""

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, CustomerId, MemberId, StripeAccountId
from storage.types import scoped
from storage.upsert import insert


class CustomerRow(SQLModel, table=True):
    """A member is this customer of that account."""

    __tablename__ = "customers"
    __table_args__ = (
        scoped("customers", "member_id", "members"),
        UniqueConstraint("stripe_account_id", "stripe_customer_id", name="uq_customers_stripe"),
        UniqueConstraint("member_id", "stripe_account_id", name="uq_customers_member"),
    )

    id: CustomerId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    stripe_customer_id: str


async def of_member(session: AsyncSession, member: MemberId, account: StripeAccountId) -> str:
    """Return the member's customer id at the processor; empty when there is none."""
    query = select(CustomerRow.stripe_customer_id).where(CustomerRow.member_id == member, CustomerRow.stripe_account_id == account)
    return (await session.exec(query)).first() or ""


async def keep(session: AsyncSession, row: CustomerRow) -> None:
    """Store who a member is at the processor; the first one stays."""
    await session.execute(insert(session, CustomerRow).values(row.model_dump()).on_conflict_do_nothing())
