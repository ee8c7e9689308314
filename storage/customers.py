"""Members as the processor knows them."""

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.ids import CommunityId, CustomerId, MemberId, StripeAccountId
from storage.types import scoped


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
