"""What is sold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text, bindparam, false, func, text, true
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, PlanId, PlatformName, PriceId, ResourceId, StripeAccountId
from core.money import Money
from core.payments import Interval, IntervalUnit
from core.platform import ResourceKind
from storage import stock
from storage.entitlements import EntitlementRow, EntitlementState
from storage.plan_resources import PlanResourceRow
from storage.prices import PriceRow, on_sale
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
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
    trial_card: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    """Whether a trial asks for a card; without one it ends by itself."""
    seats: int | None = None
    """How many people may have it at a time; None for no limit."""
    approval: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether the creator accepts somebody before they may pay."""
    status: PlanStatus = Field(default=PlanStatus.CREATING, sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    stripe_product_id: str = ""
    created_at: datetime = Field(sa_type=UTCDateTime)

    @property
    def interval(self) -> Interval:
        """How often it is paid, or how long it lasts."""
        return Interval(IntervalUnit(self.interval_unit), self.interval_count)


@dataclass(frozen=True, slots=True)
class ResourceView:
    """What a plan opens, for showing."""

    id: str
    name: str
    kind: ResourceKind
    platform: PlatformName
    space_name: str
    problem: str


@dataclass(frozen=True, slots=True)
class PriceView:
    """One way to pay for a plan. ``floor`` is the least a payer may choose; None where the price is fixed."""

    id: PriceId
    money: Money
    interval: Interval
    floor: Money | None = None

    def __str__(self) -> str:
        if self.floor is None:
            return f"{self.money} {self.interval}"
        return f"what you like from {self.floor} {self.interval} ({self.money} suggested)"


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with its prices and what it opens. ``price`` and ``interval`` are those shown where there is room for one."""

    id: PlanId
    community_id: CommunityId
    name: str
    description: str
    price: Money
    price_id: PriceId
    stripe_price_id: str
    stripe_account_id: StripeAccountId
    interval: Interval
    trial_days: int
    status: PlanStatus
    resources: tuple[ResourceView, ...]
    members: int
    prices: tuple[PriceView, ...] = ()
    trial_card: bool = True
    seats: int | None = None
    seats_left: int | None = None
    """How many may still be bought; None for no limit."""
    approval: bool = False

    @property
    def problem(self) -> str:
        """Why it cannot be delivered; empty when it can."""
        if not self.resources:
            return f"“{self.name}” opens nothing yet."
        return next((resource.problem for resource in self.resources if resource.problem), "")

    @property
    def sellable(self) -> bool:
        """Whether it can be bought now."""
        return self.status == PlanStatus.ACTIVE and not self.problem


_OPENED = (
    select(ResourceRow, SpaceRow)
    .join(PlanResourceRow, col(PlanResourceRow.resource_id) == col(ResourceRow.id))
    .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
    .where(PlanResourceRow.plan_id == bindparam("plan"), PlanResourceRow.community_id == bindparam("community"))
    .order_by(col(ResourceRow.name))
)
_MEMBERS = select(func.count(func.distinct(EntitlementRow.member_id))).where(
    EntitlementRow.plan_id == bindparam("plan"), col(EntitlementRow.state) == EntitlementState.ACTIVE
)
_OPENING = (
    select(EntitlementRow, PlanRow)
    .join(PlanRow, col(PlanRow.id) == col(EntitlementRow.plan_id))
    .join(PlanResourceRow, col(PlanResourceRow.plan_id) == col(PlanRow.id))
    .where(
        EntitlementRow.member_id == bindparam("member"),
        col(EntitlementRow.state) == EntitlementState.ACTIVE,
        PlanResourceRow.resource_id == bindparam("resource"),
    )
)


async def by_name(session: AsyncSession, community: CommunityId, name: str) -> PlanRow | None:
    """Find a plan that is not archived by what people call it."""
    query = select(PlanRow).where(
        PlanRow.community_id == community, PlanRow.name_key == name_key(name), col(PlanRow.status) != PlanStatus.ARCHIVED
    )
    return (await session.exec(query)).first()


def name_key(name: str) -> str:
    """Return what must be unique of a plan's name."""
    return " ".join(name.split()).casefold()


async def view(session: AsyncSession, plan: PlanRow) -> PlanView:
    """Return one plan as it is shown."""
    which = {"plan": plan.id, "community": plan.community_id}
    prices = await on_sale(session, plan.community_id, plan.id)
    price = prices[0]
    resources = await session.exec(_OPENED, params=which)
    members = await session.exec(_MEMBERS, params={"plan": plan.id})
    return PlanView(
        id=plan.id,
        community_id=plan.community_id,
        name=plan.name,
        description=plan.description,
        price=price.money,
        price_id=price.id,
        stripe_price_id=price.stripe_price_id or "",
        stripe_account_id=plan.stripe_account_id,
        interval=price.interval_of(plan.interval),
        trial_days=plan.trial_days,
        status=PlanStatus(plan.status),
        resources=tuple(
            ResourceView(resource.id, resource.name, ResourceKind(resource.kind), space.platform, space.name, _problem(resource, space))
            for resource, space in resources
        ),
        members=members.one(),
        prices=tuple(price_view(row, plan.interval) for row in prices),
        trial_card=plan.trial_card,
        seats=plan.seats,
        seats_left=None if plan.seats is None else max(0, plan.seats - await stock.taken(session, plan.id)),
        approval=plan.approval,
    )


def price_view(row: PriceRow, plan: Interval) -> PriceView:
    """Return a price as it is shown; ``plan`` is its plan's interval."""
    return PriceView(row.id, row.money, row.interval_of(plan), row.floor)


def _problem(resource: ResourceRow, space: SpaceRow) -> str:
    return resource.problem if space.connected else f"I am no longer in {space.name}. Add me again."


async def views(session: AsyncSession, community: CommunityId) -> Sequence[PlanView]:
    """Return a community's plans that are not archived, oldest first."""
    query = select(PlanRow).where(PlanRow.community_id == community, col(PlanRow.status) != PlanStatus.ARCHIVED)
    return [await view(session, plan) for plan in await session.exec(query.order_by(col(PlanRow.created_at)))]


async def entitled(session: AsyncSession, plan: PlanId) -> Sequence[MemberId]:
    """Return who has a plan now."""
    query = select(EntitlementRow.member_id).where(EntitlementRow.plan_id == plan, col(EntitlementRow.state) == EntitlementState.ACTIVE)
    return [MemberId(member) for member in await session.exec(query.distinct())]


async def opening(session: AsyncSession, member: MemberId, resource: ResourceId) -> Sequence[tuple[EntitlementRow, PlanRow]]:
    """Return a member's active entitlements that open a resource, each with its plan."""
    found = await session.exec(_OPENING, params={"member": member, "resource": resource})
    return [(entitlement, plan) for entitlement, plan in found]
