"""What we hold of a processor's account, for comparing it with what the processor holds."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Integer, bindparam, update
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
_SOURCE = (
    select(WebhookEndpointRow.id)
    .where(col(WebhookEndpointRow.stripe_account_id) == bindparam("account"))
    .order_by(col(WebhookEndpointRow.created_at))
    .limit(1)
)
_KNOWN = select(InboxRow.event_id).where(
    col(InboxRow.source) == bindparam("source"),
    col(InboxRow.event_id).in_(bindparam("events", expanding=True)),
    (InboxRow.status != WorkStatus.DEAD) | (InboxRow.attempts == 0),
)
_WAITING_ORDERS = (
    select(OrderRow)
    .where(
        col(OrderRow.stripe_account_id) == bindparam("account"),
        col(OrderRow.status).in_([OrderStatus.OPEN, OrderStatus.PENDING]),
        col(OrderRow.checkout_session_id).is_not(None),
        col(OrderRow.id) > bindparam("after"),
    )
    .order_by(col(OrderRow.id))
    .limit(bindparam("limit", type_=Integer))
)
_OF_ACCOUNT = col(SubscriptionRow.stripe_account_id) == bindparam("account")
_SUBSCRIPTIONS = select(SubscriptionRow).where(
    _OF_ACCOUNT, col(SubscriptionRow.stripe_subscription_id).in_(bindparam("external_ids", expanding=True))
)
_GOING_ON = select(SubscriptionRow.stripe_subscription_id, SubscriptionRow.community_id).where(
    _OF_ACCOUNT, col(SubscriptionRow.status).not_in(OVER)
)
_OUR_ORDERS = select(OrderRow.id).where(
    col(OrderRow.stripe_account_id) == bindparam("account"), col(OrderRow.id).in_(bindparam("names", expanding=True))
)
_STOPPED = (
    select(SubscriptionRow.id)
    .join(CommunityRow, col(CommunityRow.id) == col(SubscriptionRow.community_id))
    .where(_OF_ACCOUNT, col(SubscriptionRow.stripe_subscription_id) == bindparam("external_id"))
    .where(col(CommunityRow.stopped_at).is_not(None), col(CommunityRow.confirmed_at).is_(None))
)


async def accounts(session: Session) -> Sequence[StripeAccountRow]:
    """Return every account."""
    return (await session.exec(select(StripeAccountRow).order_by(col(StripeAccountRow.id)))).all()


async def source(session: Session, account: StripeAccountId) -> str:
    """Return what the inbox calls deliveries of an account, the same for what was delivered and what we fetched ourselves."""
    endpoint = (await session.exec(_SOURCE, params={"account": account})).first()
    return f"stripe:{endpoint or account}"


async def known_events(session: Session, source_name: str, events: Collection[str]) -> set[str]:
    """Return which of the events came in already and were not given up after trying; what was never tried was set aside on purpose."""
    return set((await session.exec(_KNOWN, params={"source": source_name, "events": list(events)})).all())


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
    return (await session.exec(_WAITING_ORDERS, params={"account": account, "after": after, "limit": limit})).all()


async def subscriptions(session: Session, account: StripeAccountId, external_ids: Collection[str]) -> dict[str, SubscriptionRow]:
    """Return our rows of some subscriptions, by the processor's id."""
    rows = await session.exec(_SUBSCRIPTIONS, params={"account": account, "external_ids": list(external_ids)})
    return {row.stripe_subscription_id: row for row in rows}


async def going_on(session: Session, account: StripeAccountId) -> dict[str, CommunityId]:
    """Return the community of each subscription that is not over by what we know, by the processor's id."""
    found = await session.exec(_GOING_ON, params={"account": account})
    return {external_id: CommunityId(community) for external_id, community in found}


async def our_orders(session: Session, account: StripeAccountId, names: Collection[str]) -> set[str]:
    """Return which of the names are orders of ours."""
    return set((await session.exec(_OUR_ORDERS, params={"account": account, "names": list(names)})).all())


async def stopped(session: Session, account: StripeAccountId, external_id: str) -> bool:
    """Return whether a subscription is of a community where what answers from outside would end waits for a person's word."""
    return (await session.exec(_STOPPED, params={"account": account, "external_id": external_id})).first() is not None


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
