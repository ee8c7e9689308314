"""Attempts to buy."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text, UniqueConstraint, and_, func, or_, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import AccountId, CommunityId, InviteId, MemberId, OrderId, PlanId, PriceId, StripeAccountId
from storage import deliveries
from storage.audit import Trail, record
from storage.subscriptions import SubscriptionRow
from storage.types import UTCDateTime, inline, owned, scoped


class OrderStatus(StrEnum):
    """How an attempt to buy stands."""

    OPEN = "open"
    PENDING = "pending"
    """Checkout is done, the money is on its way (a method that takes days)."""
    PAID = "paid"
    FAILED = "failed"
    """The delayed payment did not arrive."""
    EXPIRED = "expired"


_OPEN = text("status = 'open'")
_TAKING = text("status IN ('open', 'pending')")


class OrderRow(SQLModel, table=True):
    """One attempt to buy a plan. Its id is public: it names the welcome page."""

    __tablename__ = "orders"
    __table_args__ = (
        owned("orders"),
        scoped("orders", "member_id", "members"),
        scoped("orders", "account_id", "accounts"),
        scoped("orders", "plan_id", "plans"),
        scoped("orders", "price_id", "prices"),
        scoped("orders", "invite_id", "invites"),
        UniqueConstraint("stripe_account_id", "checkout_session_id", name="uq_orders_checkout"),
        Index("uq_orders_open", "account_id", "plan_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_orders_expires_at", "expires_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_orders_member_id", "member_id"),
        Index("ix_orders_plan_id", "plan_id", sqlite_where=_TAKING, postgresql_where=_TAKING),
        Index("ix_orders_invite_id", "invite_id"),
    )

    id: OrderId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    account_id: AccountId = Field(sa_type=Text)
    """The account that shall be let in."""
    plan_id: PlanId = Field(sa_type=Text)
    price_id: PriceId = Field(sa_type=Text)
    invite_id: InviteId | None = Field(default=None, sa_type=Text)
    status: OrderStatus = Field(default=OrderStatus.OPEN, sa_type=Text)
    trial_days: int = 0
    """For how long it is tried for nothing, decided when the order is made."""
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    checkout_session_id: str | None = None
    """None until the processor has opened it; asking again under the same key opens the same one."""
    checkout_url: str = ""
    stripe_subscription_id: str = ""
    stripe_payment_intent_id: str = ""
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    paid_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


async def open_order(session: AsyncSession, member: MemberId, plan: PlanId) -> OrderRow | None:
    """Find the one open order of a member for a plan, whichever of their accounts it was begun with."""
    query = select(OrderRow).where(OrderRow.member_id == member, OrderRow.plan_id == plan, col(OrderRow.status) == inline(OrderStatus.OPEN))
    return (await session.exec(query)).first()


async def awaiting(session: AsyncSession, account: StripeAccountId, limit: int) -> Sequence[OrderRow]:
    """Return orders whose outcome the processor knows better than we do, oldest first."""
    query = select(OrderRow).where(
        OrderRow.stripe_account_id == account,
        col(OrderRow.status).in_([OrderStatus.OPEN, OrderStatus.PENDING]),
        col(OrderRow.checkout_session_id).is_not(None),
    )
    return (await session.exec(query.order_by(col(OrderRow.created_at)).limit(limit))).all()


async def of_subscription(session: AsyncSession, account: StripeAccountId, subscription: str) -> OrderRow | None:
    """Return the order a subscription was bought by."""
    query = select(OrderRow).where(OrderRow.stripe_account_id == account, OrderRow.stripe_subscription_id == subscription)
    return (await session.exec(query.order_by(col(OrderRow.created_at)).limit(1))).first()


async def pending(session: AsyncSession, member: MemberId, plan: PlanId) -> bool:
    """Return whether a member's money for a plan is on its way, or came for a subscription we do not hold yet."""
    held = select(SubscriptionRow.id).where(
        SubscriptionRow.stripe_account_id == OrderRow.stripe_account_id,
        SubscriptionRow.stripe_subscription_id == OrderRow.stripe_subscription_id,
    )
    unread = and_(col(OrderRow.status) == OrderStatus.PAID, col(OrderRow.stripe_subscription_id) != "", ~held.exists())
    query = select(OrderRow.id).where(
        OrderRow.member_id == member, OrderRow.plan_id == plan, or_(col(OrderRow.status) == OrderStatus.PENDING, unread)
    )
    return (await session.exec(query)).first() is not None


async def trying(session: AsyncSession, member: MemberId) -> bool:
    """Return whether a member is at a checkout for a trial."""
    query = select(OrderRow.id).where(
        OrderRow.member_id == member, OrderRow.trial_days > 0, col(OrderRow.status).in_([OrderStatus.OPEN, OrderStatus.PENDING])
    )
    return (await session.exec(query)).first() is not None


async def open_through(session: AsyncSession, invite: InviteId, *, besides: AccountId) -> int:
    """Count the checkouts that others have open through a link: places that may be taken any moment."""
    query = select(func.count()).where(
        OrderRow.invite_id == invite,
        OrderRow.account_id != besides,
        col(OrderRow.status).in_([OrderStatus.OPEN, OrderStatus.PENDING]),
    )
    return (await session.exec(query)).one()


def advance(session: AsyncSession, order: OrderRow, status: OrderStatus, trail: Trail, answer: str = "") -> None:
    """Write how an order stands now, and why; nothing where it stands so already. ``answer`` is the processor's."""
    before, order.status = str(order.status), status
    session.add(order)
    if before != status:
        record(session, trail, order.community_id, f"order.{status}", ("order", order.id), member=order.member_id,
               before={"status": before}, after={"status": str(status)}, answer=answer)  # fmt: skip
        if status is OrderStatus.PAID:
            deliveries.watch(session, order.community_id, order.id, trail.at)
