"""What catch-up hands to the account's lane: booked there, and nothing ends by it that waits for a person."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from billing.catchup import CatchUp
from billing.dispute import Disputes
from billing.gift import Gifts
from billing.giving import Extensions
from billing.inbox import StripeInbox
from billing.order import Orders
from billing.refund import Payments
from billing.subscription import Subscriptions
from billing.tip import Tips
from core.dispatch import stripe_lane
from core.errors import TransientError
from core.ids import Ids, OrderId
from core.money import Money
from core.payments import CheckoutStatus
from sandbox.clock import VirtualClock
from storage.communities import CommunityRow
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState
from storage.inbox import InboxKind, InboxRow
from storage.lanes import take
from storage.ledger import LedgerRow
from storage.orders import OrderRow, OrderStatus
from storage.stripe_accounts import ENVIRONMENT, StripeAccountRow
from tests.billing.processor import Processor
from tests.membership.town import Town

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FLOOD = 25
"""More than may end at once."""
Drain = Callable[[], Awaitable[None]]
Gold = Callable[[int], Awaitable[list[str]]]


@pytest.fixture
def drain(database: Database, clock: VirtualClock, ids: Ids, processor: Processor) -> Drain:
    """Work off the account's lane with the use cases the program gives it."""
    db, gateways = database, processor
    subscriptions = Subscriptions(db=db, clock=clock, ids=ids, gateways=gateways, grace=timedelta(days=7))
    orders = Orders(db=db, clock=clock, ids=ids, gateways=gateways, subscriptions=subscriptions)
    tips = Tips(db=db, clock=clock, ids=ids, gateways=gateways, public_url="http://127.0.0.1:1")
    extensions = Extensions(db=db, clock=clock, ids=ids, gateways=gateways, subscriptions=subscriptions)
    gifts = Gifts(db=db, clock=clock, ids=ids, gateways=gateways, extensions=extensions, public_url="http://127.0.0.1:1")
    payments = Payments(db=db, clock=clock, ids=ids, gateways=gateways, subscriptions=subscriptions, orders=orders, tips=tips, gifts=gifts)
    inbox = StripeInbox(
        db=db, clock=clock, gateways=gateways, subscriptions=subscriptions, orders=orders, tips=tips, gifts=gifts, payments=payments,
        disputes=Disputes(db=db, clock=clock, ids=ids, gateways=gateways, subscriptions=subscriptions),
        rng=random.Random(1),  # noqa: S311 - only jitter
    )  # fmt: skip

    async def drain() -> None:
        lane = stripe_lane(ENVIRONMENT)
        await inbox.drain(lane, await take(database, lane, "test", clock.now()))

    return drain


@pytest.fixture
def sold(town: Town, processor: Processor, clock: VirtualClock) -> Gold:
    """Sell so many subscriptions, known to be going on here and at the processor."""

    async def sold(number: int) -> list[str]:
        people = await town.members(number)
        names = await town.subscribe(people, clock.now() + 10 * DAY)
        await town.grant(people)
        for name in names:
            processor.says(name, "active", clock.now() + 7 * DAY)
        return names

    return sold


async def active(db: Database) -> int:
    async with db.reading() as session:
        query = select(EntitlementRow.id).where(col(EntitlementRow.state) == EntitlementState.ACTIVE)
        return len((await session.exec(query)).all())


async def filed(db: Database) -> dict[str, str]:
    """The status of every event on file."""
    async with db.reading() as session:
        return {row.event_id: str(row.status) for row in (await session.exec(select(InboxRow))).all()}


async def booked(db: Database) -> set[str]:
    async with db.reading() as session:
        return set((await session.exec(select(LedgerRow.cause))).all())


async def confirm(town: Town, clock: VirtualClock) -> None:
    async with town.db.transaction() as session:
        row = await session.get_one(CommunityRow, town.id)
        assert row.stopped_at is not None
        row.confirmed_at = clock.now()


async def order_status(db: Database, order: OrderId) -> str:
    async with db.reading() as session:
        return str((await session.get_one(OrderRow, order)).status)


async def live(town: Town, clock: VirtualClock, kind: str, about: str) -> None:
    """Have a webhook come in."""
    row = InboxRow(
        id=f"live-{about}", kind=InboxKind.STRIPE, source="stripe:env", event_id=f"live-{about}", type=kind, object_id=about,
        lane=stripe_lane(ENVIRONMENT), payload=b"{}", received_at=clock.now(), due_at=clock.now(),
    )  # fmt: skip
    await town.store([row])


async def cancel_all(processor: Processor, clock: VirtualClock, names: list[str], *, told: bool) -> None:
    for name in names:
        processor.says(name, "canceled", clock.now())
        processor.bills(f"in_{name}", name, f"pi_{name}")
        processor.event(f"evt_i_{name}", "invoice.payment_failed", f"in_{name}", clock.now() - HOUR)
        if told:
            processor.event(f"evt_s_{name}", "customer.subscription.deleted", name, clock.now() - HOUR)


@pytest.mark.parametrize("told", [True, False])
async def test_the_lane_ends_nothing_that_catch_up_holds_back(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, drain: Drain, sold: Gold, *, told: bool
) -> None:
    names = await sold(FLOOD)
    await catch_up.run()
    clock.advance(2 * HOUR)
    await cancel_all(processor, clock, names, told=told)
    report = await catch_up.run()
    assert report.counts["subscriptions held back", town.id] == FLOOD
    await drain()
    assert await active(town.db) == FLOOD
    assert {f"payment:pi_{name}" for name in names} <= await booked(town.db)
    assert set((await filed(town.db)).values()) == {"done"}

    await confirm(town, clock)
    await catch_up.run()
    assert await active(town.db) == 0


async def test_a_lane_that_runs_while_catch_up_does_finds_nothing_unweighed(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, sold: Gold
) -> None:
    names = await sold(FLOOD)
    await catch_up.run()
    clock.advance(2 * HOUR)
    await cancel_all(processor, clock, names, told=True)
    early: list[str] = []
    town.db.on_wake(early.append)
    for name in names:
        processor.silent[name] = TransientError("no network")
    await catch_up.run()
    assert await filed(town.db) == {}
    assert stripe_lane(ENVIRONMENT) not in early


async def test_what_a_webhook_tells_of_ends_though_the_community_is_stopped(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, drain: Drain, sold: Gold
) -> None:
    names = await sold(FLOOD)
    await cancel_all(processor, clock, names, told=True)
    await catch_up.run()
    clock.advance(timedelta(seconds=1))
    await live(town, clock, "invoice.payment_failed", f"in_{names[0]}")
    await drain()
    assert await active(town.db) == FLOOD - 1


async def test_an_invoice_without_an_answer_is_news_again(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, sold: Gold
) -> None:
    [name] = await sold(1)
    happened = clock.now() - DAY
    processor.bills("in_1", name, "pi_1")
    processor.event("evt_1", "invoice.paid", "in_1", happened)
    processor.silent["in_1"] = TransientError("no network")
    await catch_up.run()
    assert await filed(town.db) == {}
    async with town.db.reading() as session:
        assert (await session.get_one(StripeAccountRow, ENVIRONMENT)).events_seen_at == happened
    processor.silent.clear()
    await catch_up.run()
    assert await filed(town.db) == {"evt_1": "pending"}


async def test_an_invoice_of_no_subscription_of_ours_is_the_lanes_alone(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    processor.event("evt_1", "invoice.paid", "in_of_another_shop", clock.now() - DAY)
    await catch_up.run()
    assert not processor.asked
    assert await filed(town.db) == {"evt_1": "pending"}


async def refund_all(processor: Processor, clock: VirtualClock, names: list[str]) -> None:
    for name in names:
        processor.says(name, "active", clock.now() + 7 * DAY, invoice=f"in_{name}")
        processor.gives_back(f"ch_{name}", name, f"in_{name}")
        processor.event(f"evt_{name}", "charge.refunded", f"ch_{name}", clock.now() - HOUR)


async def test_a_flood_of_refunds_is_booked_and_ends_nothing_before_a_persons_word(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, drain: Drain, sold: Gold
) -> None:
    names = await sold(FLOOD)
    await refund_all(processor, clock, names)
    report = await catch_up.run()
    assert report.counts["subscriptions held back", town.id] == FLOOD
    await drain()
    assert await active(town.db) == FLOOD
    assert {f"refund:re_ch_{name}" for name in names} <= await booked(town.db)
    assert set((await filed(town.db)).values()) == {"pending"}

    await confirm(town, clock)
    await catch_up.run()
    clock.advance(HOUR)
    await drain()
    assert await active(town.db) == 0


async def test_a_few_refunds_we_missed_end_what_they_paid_for(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, drain: Drain, sold: Gold
) -> None:
    names = await sold(3)
    await refund_all(processor, clock, names[:2])
    processor.gives_back(f"ch_{names[2]}", names[2], f"in_{names[2]}", Money(1, "USD"))
    processor.event(f"evt_{names[2]}", "charge.refunded", f"ch_{names[2]}", clock.now() - HOUR)
    report = await catch_up.run()
    assert report.counts["subscriptions changed", town.id] == 2
    await drain()
    assert await active(town.db) == 1
    assert set((await filed(town.db)).values()) == {"done"}


@pytest.mark.parametrize("state", [OrderStatus.PAID, OrderStatus.OPEN, OrderStatus.PENDING])
async def test_checkouts_end_nothing_that_is_held_back(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, drain: Drain, sold: Gold, state: OrderStatus
) -> None:
    names = await sold(FLOOD)
    orders = [await town.order(who, status=state, checkout_session_id=f"cs_{who}") for who in await town.members(FLOOD)]
    for order, name in zip(orders, names, strict=True):
        processor.says(name, "canceled", clock.now())
        async with town.db.reading() as session:
            session_id = (await session.get_one(OrderRow, order)).checkout_session_id or ""
        processor.checks_out(session_id, order, CheckoutStatus.COMPLETE, name)
        processor.event(f"evt_{name}", "checkout.session.completed", session_id, clock.now() - HOUR)
    report = await catch_up.run()
    assert report.counts["subscriptions held back", town.id] == FLOOD
    await drain()
    assert await active(town.db) == FLOOD

    await confirm(town, clock)
    await catch_up.run()
    clock.advance(HOUR)
    await drain()
    assert await active(town.db) == 0
    assert {await order_status(town.db, order) for order in orders} == {"paid"}
    assert set((await filed(town.db)).values()) == {"done"}
