"""Which paid orders to look at, what they opened, and what the creator is still asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Executable, Integer, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from core.ids import CommunityId, OrderId
from core.money import Money
from storage.accounts import AccountRow
from storage.deliveries import DeliveryRow
from storage.entitlements import EntitlementRow, SourceKind
from storage.orders import OrderRow
from storage.plans import PlanRow
from storage.prices import PriceRow
from storage.subscriptions import SubscriptionRow


@dataclass(frozen=True, slots=True)
class Delivery:
    """A paid order with what it is about."""

    row: DeliveryRow
    order: OrderRow
    plan: PlanRow
    price: PriceRow
    account: AccountRow

    @property
    def money(self) -> Money:
        """What the plan costs: what was paid, save for a trial or a discount."""
        return self.price.money


def _open(*which: ColumnElement[bool]) -> Executable:
    return (
        select(DeliveryRow, OrderRow, PlanRow, PriceRow, AccountRow)
        .join(OrderRow, col(OrderRow.id) == col(DeliveryRow.order_id))
        .join(PlanRow, col(PlanRow.id) == col(OrderRow.plan_id))
        .join(PriceRow, col(PriceRow.id) == col(OrderRow.price_id))
        .join(AccountRow, col(AccountRow.id) == col(OrderRow.account_id))
        .where(col(DeliveryRow.done_at).is_(None), *which)
        .order_by(col(DeliveryRow.paid_at), col(DeliveryRow.order_id))
        .limit(bindparam("limit", type_=Integer))
    )


_DUE = _open(col(DeliveryRow.due_at) <= bindparam("now"))
_ASKED = _open(col(DeliveryRow.community_id) == bindparam("community"), col(DeliveryRow.asked_at).is_not(None))
_ONE = _open(col(DeliveryRow.community_id) == bindparam("community"), col(DeliveryRow.order_id) == bindparam("order"))
_OPENED = select(EntitlementRow).where(
    or_(
        (col(EntitlementRow.source_kind) == SourceKind.PASS) & (col(EntitlementRow.source_id) == bindparam("order")),
        (col(EntitlementRow.source_kind) == SourceKind.SUBSCRIPTION)
        & col(EntitlementRow.source_id).in_(
            select(col(SubscriptionRow.id)).where(
                col(SubscriptionRow.stripe_account_id) == bindparam("account"),
                col(SubscriptionRow.stripe_subscription_id) == bindparam("subscription"),
            )
        ),
    )
)


async def due(session: AsyncSession, now: datetime, limit: int) -> Sequence[Delivery]:
    """Return what is to be looked at, what was paid for longest ago first."""
    return [Delivery(*row) for row in await session.execute(_DUE, {"now": now, "limit": limit})]


async def asked(session: AsyncSession, community: CommunityId, limit: int) -> Sequence[Delivery]:
    """Return what a community's creator is asked about, the oldest first."""
    return [Delivery(*row) for row in await session.execute(_ASKED, {"community": community, "limit": limit})]


async def find(session: AsyncSession, community: CommunityId, order: OrderId) -> Delivery | None:
    """Return a paid order of a community that is not delivered, with what it is about."""
    found = (await session.execute(_ONE, {"community": community, "order": order, "limit": 1})).first()
    return Delivery(*found) if found is not None else None


async def opened(session: AsyncSession, order: OrderRow) -> EntitlementRow | None:
    """Return what an order opened; None while nothing is opened by it."""
    which = {"order": order.id, "account": order.stripe_account_id, "subscription": order.stripe_subscription_id}
    return (await session.execute(_OPENED, which)).scalars().first()
