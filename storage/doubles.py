"""Subscriptions that pay for what another one of the same member pays for already."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, and_, bindparam, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from core.ids import CommunityId, MemberId, OrderId, PlanId
from storage.accounts import AccountRow
from storage.orders import OrderRow
from storage.plans import PlanRow
from storage.prices import PriceRow
from storage.subscriptions import OVER, SubscriptionRow


@dataclass(frozen=True, slots=True)
class Double:
    """The later of two subscriptions of one member to one plan, with what it is about."""

    row: SubscriptionRow
    order: OrderRow
    plan: PlanRow
    price: PriceRow
    account: AccountRow


_FIRST = aliased(SubscriptionRow)


def _renews(row: type[SubscriptionRow]) -> ColumnElement[bool]:
    return and_(col(row.status).not_in(OVER), col(row.cancel_at).is_(None))


_ALL = (
    select(SubscriptionRow, OrderRow, PlanRow, PriceRow, AccountRow)
    .join(
        OrderRow,
        and_(
            col(OrderRow.member_id) == col(SubscriptionRow.member_id),
            col(OrderRow.stripe_account_id) == col(SubscriptionRow.stripe_account_id),
            col(OrderRow.stripe_subscription_id) == col(SubscriptionRow.stripe_subscription_id),
        ),
    )
    .join(PlanRow, col(PlanRow.id) == col(SubscriptionRow.plan_id))
    .join(
        PriceRow,
        and_(
            col(PriceRow.stripe_account_id) == col(SubscriptionRow.stripe_account_id),
            col(PriceRow.stripe_price_id) == col(SubscriptionRow.stripe_price_id),
        ),
    )
    .join(AccountRow, col(AccountRow.id) == col(OrderRow.account_id))
    .where(
        col(SubscriptionRow.community_id) == bindparam("community"),
        _renews(SubscriptionRow),
        exists().where(
            col(_FIRST.member_id) == col(SubscriptionRow.member_id),
            col(_FIRST.plan_id) == col(SubscriptionRow.plan_id),
            _renews(_FIRST),
            tuple_(col(_FIRST.started_at), col(_FIRST.id)) < tuple_(col(SubscriptionRow.started_at), col(SubscriptionRow.id)),
        ),
    )
    .order_by(col(SubscriptionRow.started_at), col(SubscriptionRow.id))
    .limit(bindparam("limit", type_=Integer))
)
_OF_MEMBER = _ALL.where(col(SubscriptionRow.member_id) == bindparam("member"), col(SubscriptionRow.plan_id) == bindparam("plan"))
_OF_ORDER = _ALL.where(col(OrderRow.id) == bindparam("order"))


async def listing(session: AsyncSession, community: CommunityId, limit: int) -> Sequence[Double]:
    """Return a community's doubles, the oldest first."""
    return [Double(*row) for row in await session.execute(_ALL, {"community": community, "limit": limit})]


async def of_member(session: AsyncSession, community: CommunityId, member: MemberId, plan: PlanId, limit: int) -> Sequence[Double]:
    """Return the doubles among a member's subscriptions to a plan."""
    which = {"community": community, "member": member, "plan": plan, "limit": limit}
    return [Double(*row) for row in await session.execute(_OF_MEMBER, which)]


async def find(session: AsyncSession, community: CommunityId, order: OrderId) -> Double | None:
    """Return the double an order made; None where its subscription is the only one, or has ended."""
    found = (await session.execute(_OF_ORDER, {"community": community, "order": order, "limit": 1})).first()
    return Double(*found) if found is not None else None
