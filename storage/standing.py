"""What it takes to say how somebody stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, OrderId, ResourceId, SubscriptionId
from storage import extensions, plan_resources
from storage.communities import CommunityRow
from storage.entitlements import EntitlementRow, SourceKind, not_over, of_plan
from storage.invites import InviteRow
from storage.orders import OrderRow
from storage.plans import PlanRow
from storage.prices import PriceRow
from storage.subscriptions import SubscriptionRow


@dataclass(frozen=True, slots=True)
class Standing:
    """One entitlement that is not over, with what it stands on. ``given``: time given to its member has moved its next payment."""

    entitlement: EntitlementRow
    plan: PlanRow
    price: PriceRow
    subscription: SubscriptionRow | None
    resources: frozenset[ResourceId]
    given: bool


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order with what it was for. ``entitlements``: whatever its member has or had to that plan."""

    order: OrderRow
    plan: PlanRow
    community: CommunityRow
    invite_code: str
    resources: frozenset[ResourceId]
    entitlements: tuple[EntitlementRow, ...]


async def of_member(session: AsyncSession, community: CommunityId, member: MemberId) -> Sequence[Standing]:
    """Return what a member has now, oldest first."""
    found = []
    for held in sorted(await not_over(session, community, member), key=lambda row: row.starts_at):
        plan = await session.get_one(PlanRow, held.plan_id)
        subscription = None
        if held.source_kind == SourceKind.SUBSCRIPTION:
            subscription = await session.get(SubscriptionRow, SubscriptionId(held.source_id))
        price = await _price(session, plan, subscription)
        opened = frozenset(await plan_resources.of_plan(session, plan.id))
        given = subscription is not None and await extensions.moved(session, subscription.id)
        found.append(Standing(held, plan, price, subscription, opened, given))
    return found


async def _price(session: AsyncSession, plan: PlanRow, subscription: SubscriptionRow | None) -> PriceRow:
    """Return the price a subscriber keeps, else the plan's current one."""
    query = select(PriceRow).where(PriceRow.plan_id == plan.id)
    own = subscription.stripe_price_id if subscription else ""
    prices = (await session.exec(query.order_by(col(PriceRow.active).desc()))).all()
    return next((price for price in prices if price.stripe_price_id == own), prices[0])


async def of_order(session: AsyncSession, order_id: OrderId) -> OrderFacts | None:
    """Return an order with its plan, community and link."""
    order = await session.get(OrderRow, order_id)
    if order is None:
        return None
    plan = await session.get_one(PlanRow, order.plan_id)
    invite = await session.get(InviteRow, order.invite_id) if order.invite_id else None
    opened = frozenset(await plan_resources.of_plan(session, plan.id))
    community = await session.get_one(CommunityRow, order.community_id)
    held = await of_plan(session, order.community_id, order.member_id, order.plan_id)
    return OrderFacts(order, plan, community, invite.code if invite else "", opened, tuple(held))
