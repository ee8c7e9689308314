"""What we hold of a processor's account, for comparing it with what the processor holds."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select

from core.ids import CommunityId, OrderId, StripeAccountId
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.database import Session, will_wake
from storage.inbox import InboxKind, InboxRow, WorkStatus
from storage.orders import OrderRow, OrderStatus
from storage.stripe_accounts import StripeAccountRow
from storage.subscriptions import SubscriptionRow
from storage.webhook_endpoints import WebhookEndpointRow

OVER = ("canceled", "incomplete_expired")
"""Nothing comes after these."""


async def accounts(session: Session) -> Sequence[StripeAccountRow]:
    """Return every account."""
    return (await session.exec(select(StripeAccountRow).order_by(col(StripeAccountRow.id)))).all()


async def source(session: Session, account: StripeAccountId) -> str:
    """Return what the inbox calls deliveries of an account, the same for what was delivered and what we fetched ourselves."""
    query = select(WebhookEndpointRow.id).where(WebhookEndpointRow.stripe_account_id == account)
    endpoint = (await session.exec(query.order_by(col(WebhookEndpointRow.created_at)).limit(1))).first()
    return f"stripe:{endpoint or account}"


async def known_events(session: Session, source_name: str, events: Collection[str]) -> set[str]:
    """Return which of the events came in already and were not given up after trying; what was never tried was set aside on purpose."""
    query = select(InboxRow.event_id).where(InboxRow.source == source_name, col(InboxRow.event_id).in_(events))
    return set((await session.exec(query.where((InboxRow.status != WorkStatus.DEAD) | (InboxRow.attempts == 0)))).all())


async def give_another_try(session: Session, source_name: str, events: Collection[str], status: WorkStatus, now: datetime) -> None:
    """Set what was given up after trying to ``status``: pending, for one try more, or done because it was dealt with otherwise."""
    given_up = (
        col(InboxRow.source) == source_name,
        col(InboxRow.event_id).in_(events),
        col(InboxRow.status) == WorkStatus.DEAD,
        col(InboxRow.attempts) > 0,
    )
    done = {"done_at": now, "error": ""} if status is WorkStatus.DONE else {}
    statement = update(InboxRow).where(*given_up).values(kind=InboxKind.NEWS, status=status, due_at=now, **done)
    for lane in set((await session.execute(statement.returning(col(InboxRow.lane)))).scalars()):
        will_wake(session, lane)


async def waiting_orders(session: Session, account: StripeAccountId, after: OrderId, limit: int) -> Sequence[OrderRow]:
    """Return orders whose outcome the processor knows better than we do, by id, from behind ``after`` on."""
    query = select(OrderRow).where(
        OrderRow.stripe_account_id == account,
        col(OrderRow.status).in_([OrderStatus.OPEN, OrderStatus.PENDING]),
        col(OrderRow.checkout_session_id).is_not(None),
        OrderRow.id > after,
    )
    return (await session.exec(query.order_by(col(OrderRow.id)).limit(limit))).all()


async def subscriptions(session: Session, account: StripeAccountId, external_ids: Collection[str]) -> dict[str, SubscriptionRow]:
    """Return our rows of some subscriptions, by the processor's id."""
    named = col(SubscriptionRow.stripe_subscription_id).in_(external_ids)
    rows = await session.exec(select(SubscriptionRow).where(SubscriptionRow.stripe_account_id == account, named))
    return {row.stripe_subscription_id: row for row in rows}


async def going_on(session: Session, account: StripeAccountId) -> dict[str, CommunityId]:
    """Return the community of each subscription that is not over by what we know, by the processor's id."""
    query = select(SubscriptionRow.stripe_subscription_id, SubscriptionRow.community_id)
    query = query.where(SubscriptionRow.stripe_account_id == account, col(SubscriptionRow.status).not_in(OVER))
    return {external_id: CommunityId(community) for external_id, community in await session.exec(query)}


async def our_orders(session: Session, account: StripeAccountId, names: Collection[str]) -> set[str]:
    """Return which of the names are orders of ours."""
    query = select(OrderRow.id).where(OrderRow.stripe_account_id == account, col(OrderRow.id).in_(names))
    return set((await session.exec(query)).all())


async def stopped(session: Session, account: StripeAccountId, external_id: str) -> bool:
    """Return whether a subscription is of a community where what answers from outside would end waits for a person's word."""
    query = select(SubscriptionRow.id).join(CommunityRow, col(CommunityRow.id) == col(SubscriptionRow.community_id))
    query = query.where(SubscriptionRow.stripe_account_id == account, SubscriptionRow.stripe_subscription_id == external_id)
    waits = query.where(col(CommunityRow.stopped_at).is_not(None), col(CommunityRow.confirmed_at).is_(None))
    return (await session.exec(waits)).first() is not None


async def expire(session: Session, order: OrderId, trail: Trail) -> None:
    """Expire an order that is open still, audited."""
    row = await session.get_one(OrderRow, order, with_for_update=True)
    if row.status != OrderStatus.OPEN:
        return
    row.status = OrderStatus.EXPIRED
    session.add(row)
    record(session, trail, row.community_id, "order.expired", ("order", row.id), member=row.member_id,
           before={"status": str(OrderStatus.OPEN)}, after={"status": str(OrderStatus.EXPIRED)},
           answer="its checkout is not known")  # fmt: skip


async def caught_up(
    session: Session, account: StripeAccountId, *, events_seen_at: datetime | None = None, full_sync_at: datetime | None = None
) -> None:
    """Move an account's marks; what is not given stays."""
    row = await session.get_one(StripeAccountRow, account, with_for_update=True)
    row.events_seen_at = events_seen_at or row.events_seen_at
    row.full_sync_at = full_sync_at or row.full_sync_at
    session.add(row)
