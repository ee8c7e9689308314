"""How many seats of a plan are taken: by whoever has it, whose subscription may yet open it again, who is paying, and who was offered one.

Whatever takes a seat holds the plan first, so that of two who ask at once the second counts the first.
"""

from sqlalchemy import Text, bindparam, column, func, select, union
from sqlalchemy import table as named
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import MemberId, PlanId
from storage.entitlements import EntitlementRow, EntitlementState
from storage.gifts import GiftRow, GiftStatus
from storage.orders import OrderRow, OrderStatus
from storage.prices import PriceRow
from storage.subscriptions import OVER, SubscriptionRow
from storage.types import inline
from storage.upsert import table
from storage.waitlist_entries import WaitlistEntryRow, WaitlistState

_plans = named("plans", column("id", Text))
_entitlement, _order, _gift = table(EntitlementRow).c, table(OrderRow).c, table(GiftRow).c
_subscription, _price, _entry = table(SubscriptionRow).c, table(PriceRow).c, table(WaitlistEntryRow).c
_PLAN = bindparam("plan", type_=Text)
_HELD = [
    select(_entitlement.member_id).where(_entitlement.plan_id == _PLAN, _entitlement.state != inline(EntitlementState.ENDED)),
    select(_subscription.member_id).where(_subscription.plan_id == _PLAN, _subscription.status.not_in(OVER)),
    select(_subscription.member_id)
    .join_from(table(SubscriptionRow), table(PriceRow), _price.id == _subscription.next_price_id)
    .where(_price.plan_id == _PLAN, _subscription.status.not_in(OVER)),
    select(_order.member_id).where(_order.plan_id == _PLAN, _order.status.in_([inline(OrderStatus.OPEN), inline(OrderStatus.PENDING)])),
    select(_entry.member_id).where(_entry.plan_id == _PLAN, _entry.state == inline(WaitlistState.OFFERED)),
]
_holders = union(*_HELD).subquery("holders")
_TAKEN = select(
    select(func.count()).select_from(_holders).where(_holders.c.member_id != bindparam("besides", type_=Text)).scalar_subquery()
    + select(func.count())
    .select_from(table(GiftRow))
    .where(_gift.plan_id == _PLAN, _gift.status.in_([GiftStatus.OPEN, GiftStatus.PENDING, GiftStatus.PAID]))
    .scalar_subquery()
)
"""Gifts nobody has taken yet are of nobody, and count one each."""
_HOLD = select(_plans.c.id).where(_plans.c.id == _PLAN).with_for_update(key_share=True)


async def hold(session: AsyncSession, plan: PlanId) -> None:
    """Hold others who would take a seat of a plan off until this transaction ends (SQLite has one writer anyway)."""
    await session.execute(_HOLD, {"plan": plan})


async def taken(session: AsyncSession, plan: PlanId, besides: MemberId | None = None) -> int:
    """Count the seats that are taken, that of ``besides`` left out. An offer counts until the sweep has seen that it ran out."""
    return int((await session.execute(_TAKEN, {"plan": plan, "besides": besides or ""})).scalar_one())
