"""What is sold."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from core.ids import CommunityId, PlanId, StripeAccountId
from core.payments import Interval, IntervalUnit
from storage.types import UTCDateTime, owned


class PlanStatus(StrEnum):
    """Whether a plan can be bought. Who has it keeps it in every one of these."""

    CREATING = "creating"
    """Stored here, not yet at the processor: a crash in between is picked up by asking again."""
    ACTIVE = "active"
    ARCHIVED = "archived"


_LIVE = text("status <> 'archived'")


class PlanRow(SQLModel, table=True):
    """A plan. Its resources are in ``plan_resources``, its prices in ``prices``."""

    __tablename__ = "plans"
    __table_args__ = (
        owned("plans"),
        Index("uq_plans_name", "community_id", "name_key", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    )

    id: PlanId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    name: str
    name_key: str
    """The name in lower case without spaces around: what must be unique among plans on sale."""
    description: str = ""
    interval_unit: IntervalUnit = Field(sa_type=Text)
    interval_count: int = 1
    trial_days: int = 0
    status: PlanStatus = Field(default=PlanStatus.CREATING, sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    stripe_product_id: str = ""
    created_at: datetime = Field(sa_type=UTCDateTime)

    @property
    def interval(self) -> Interval:
        """How often it is paid, or how long it lasts."""
        return Interval(IntervalUnit(self.interval_unit), self.interval_count)
