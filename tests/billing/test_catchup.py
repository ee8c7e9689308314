"""What was missed is found: by orders, by events, by comparing everything."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from billing.catchup import CatchUp
from core.dispatch import Lane
from core.errors import KeyRefused, TransientError
from core.ids import EndpointId, OrderId, StripeAccountId
from core.payments import CheckoutStatus, PaymentGateway
from sandbox.clock import VirtualClock
from storage.audit import AuditRow
from storage.communities import CommunityRow
from storage.database import Database
from storage.entitlements import EntitlementRow
from storage.inbox import InboxKind, InboxRow, WorkStatus
from storage.orders import OrderRow, OrderStatus
from storage.stripe_accounts import ENVIRONMENT, StripeAccountKind, StripeAccountRow
from storage.subscriptions import SubscriptionRow
from storage.webhook_endpoints import WebhookEndpointRow
from tests.billing.processor import Processor
from tests.membership.town import Town, everything

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def inbox(db: Database) -> dict[str, tuple[str, str]]:
    """Every event on file, with its status and where it came in."""
    async with db.reading() as session:
        return {row.event_id: (str(row.status), row.source) for row in (await session.exec(select(InboxRow))).all()}


async def account(db: Database) -> StripeAccountRow:
    async with db.reading() as session:
        return await session.get_one(StripeAccountRow, ENVIRONMENT)


async def state(db: Database, external_id: str) -> tuple[str, str]:
    """What we hold of a subscription: its status and its entitlement's state."""
    async with db.reading() as session:
        query = select(SubscriptionRow.status, EntitlementRow.state).join(
            EntitlementRow, col(EntitlementRow.source_id) == col(SubscriptionRow.id)
        )
        return (await session.exec(query.where(SubscriptionRow.stripe_subscription_id == external_id))).one()


async def status(db: Database, order: OrderId) -> str:
    async with db.reading() as session:
        return str((await session.get_one(OrderRow, order)).status)


async def synced(catch_up: CatchUp) -> None:
    """Have the daily comparison behind us, so that events are all there is to find."""
    await catch_up.run()


async def test_a_cancel_that_no_webhook_told_of_is_found_by_its_event(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    [name] = await town.subscribe([await town.member()], clock.now() + 10 * DAY)
    processor.says(name, "active", clock.now() + 7 * DAY)
    await synced(catch_up)
    clock.advance(2 * HOUR)
    processor.says(name, "canceled", clock.now())
    processor.event("evt_1", "customer.subscription.deleted", name, clock.now() - HOUR)

    await catch_up.run()

    assert await state(town.db, name) == ("canceled", "ended")
    assert await inbox(town.db) == {"evt_1": ("done", "stripe:env")}


async def test_other_events_are_filed_as_if_they_had_come_in(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    processor.event("evt_1", "invoice.paid", "in_1", clock.now() - DAY)
    processor.event("evt_2", "invoice.created", "in_1", clock.now() - DAY)
    woken: list[Lane] = []
    town.db.on_wake(woken.append)
    report = await catch_up.run()
    assert await inbox(town.db) == {"evt_1": ("pending", "stripe:env")}
    assert woken == ["stripe:env"]
    assert report.counts["events for the account's lane", "env"] == 1


async def test_what_came_in_already_is_no_news(town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock) -> None:
    [name] = await town.subscribe([await town.member()], clock.now() + 10 * DAY)
    processor.says(name, "active", clock.now() + 7 * DAY)
    processor.event("evt_1", "customer.subscription.updated", name, clock.now())
    processor.event("evt_2", "invoice.paid", "in_1", clock.now())
    await catch_up.run()
    asked = len(processor.asked)
    before = await inbox(town.db)
    report = await catch_up.run()
    assert str(report) == "Nothing was missed."
    assert len(processor.asked) == asked
    assert await inbox(town.db) == before


async def test_the_first_run_reads_a_month_and_the_next_from_the_cursor(
    catch_up: CatchUp, town: Town, processor: Processor, clock: VirtualClock
) -> None:
    await catch_up.run()
    first = clock.now()
    clock.advance(DAY)
    await catch_up.run()
    assert timedelta(days=29, hours=22) < first - processor.since[0] < timedelta(days=30)
    assert processor.since[1] == first - HOUR
    assert (await account(town.db)).events_seen_at == clock.now()


async def test_the_cursor_follows_the_processors_clock(catch_up: CatchUp, town: Town, processor: Processor, clock: VirtualClock) -> None:
    processor.skewed = 2 * HOUR
    await catch_up.run()
    assert (await account(town.db)).events_seen_at == clock.now() - 2 * HOUR


async def test_the_cursor_waits_for_what_had_no_answer(town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock) -> None:
    [name] = await town.subscribe([await town.member()], clock.now() + 10 * DAY)
    processor.says(name, "canceled", clock.now())
    happened = clock.now() - DAY
    processor.event("evt_1", "customer.subscription.deleted", name, happened)
    processor.silent[name] = TransientError("no network")
    await catch_up.run()
    assert (await account(town.db)).events_seen_at == happened
    assert (await account(town.db)).full_sync_at is None
    assert not await inbox(town.db)
    processor.silent.clear()
    await catch_up.run()
    assert await state(town.db, name) == ("canceled", "ended")
    assert (await account(town.db)).events_seen_at == clock.now()


async def test_an_event_about_what_the_processor_no_longer_knows_holds_nothing_up(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    processor.event("evt_1", "customer.subscription.deleted", "sub_gone", clock.now() - DAY)
    await catch_up.run()
    assert (await account(town.db)).events_seen_at == clock.now()


async def test_a_refused_key_moves_no_cursor_and_ends_nothing(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    [name] = await town.subscribe([await town.member()], clock.now())
    processor.says(name, "canceled", clock.now())
    processor.broken = KeyRefused("the key is refused", code="authentication")
    before = await everything(town.db)
    report = await catch_up.run()
    assert await everything(town.db) == before
    assert str(report) == "env: the key is refused"


async def test_one_account_that_fails_holds_up_no_other(town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock) -> None:
    async with town.db.transaction() as session:
        other = StripeAccountRow(id=StripeAccountId("a-first"), kind=StripeAccountKind.CONNECT, created_at=clock.now())
        session.add(other)
        session.add(WebhookEndpointRow(id=EndpointId("e"), stripe_account_id=other.id, path="p", created_at=clock.now()))
    processor.event("evt_1", "invoice.paid", "in_1", clock.now() - DAY)
    report = await catch_up.run()
    assert report.troubles == ["a-first: no such account"]
    assert "evt_1" in await inbox(town.db)


async def test_once_a_day_every_subscription_is_compared(town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock) -> None:
    [name] = await town.subscribe([await town.member()], clock.now() + 30 * DAY)
    processor.says(name, "active", clock.now() + 27 * DAY)
    await synced(catch_up)
    processor.says(name, "canceled", clock.now() + 27 * DAY)
    clock.advance(DAY - timedelta(seconds=1))
    await catch_up.run()
    assert await state(town.db, name) == ("active", "active")
    clock.advance(timedelta(seconds=1))
    await catch_up.run()
    assert await state(town.db, name) == ("canceled", "ended")


async def test_what_equals_ours_is_not_asked_about(town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock) -> None:
    [name] = await town.subscribe([await town.member()], clock.now() + 30 * DAY)
    processor.says(name, "active", clock.now() + 27 * DAY)
    await catch_up.run()
    assert not processor.asked


async def test_an_empty_list_ends_nothing_and_is_looked_at_again(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    for name in await town.subscribe(await town.members(3), clock.now() + 30 * DAY):
        processor.says(name, "canceled", clock.now())
    processor.listed = False
    report = await catch_up.run()
    assert not processor.asked
    assert "lists no subscription at all" in str(report)
    assert (await account(town.db)).full_sync_at is None
    async with town.db.reading() as session:
        assert (await session.get_one(CommunityRow, town.id)).stopped_at is None


async def test_one_that_is_missing_from_the_list_is_asked_about_itself(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    gone, listed = await town.subscribe(await town.members(2), clock.now() + 30 * DAY)
    processor.says(listed, "active", clock.now() + 27 * DAY)
    await catch_up.run()
    assert processor.asked == [gone]
    assert await state(town.db, gone) == ("active", "active")


async def test_a_subscription_of_our_order_that_nobody_told_us_of_opens(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    order = await town.order(await town.member())
    processor.says("sub_new", "active", clock.now() + 27 * DAY, reference=order)
    processor.says("sub_of_another_shop", "active", clock.now() + 27 * DAY, reference="their-order")
    report = await catch_up.run()
    assert await state(town.db, "sub_new") == ("active", "active")
    assert processor.asked == ["sub_new"]
    assert report.counts["subscriptions we had not heard of", "env"] == 1


async def test_open_orders_are_settled_by_the_processors_word(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    people = await town.members(3)
    paid, late, waiting = [await town.order(who, checkout_session_id=f"cs_{who}") for who in people]
    processor.says("sub_1", "active", clock.now() + 27 * DAY, reference=paid)
    processor.checks_out(f"cs_{people[0]}", paid, CheckoutStatus.COMPLETE, "sub_1")
    processor.checks_out(f"cs_{people[1]}", late, CheckoutStatus.EXPIRED)
    processor.checks_out(f"cs_{people[2]}", waiting, CheckoutStatus.OPEN)
    await catch_up.run()
    assert [await status(town.db, order) for order in (paid, late, waiting)] == ["paid", "expired", "open"]
    assert await state(town.db, "sub_1") == ("active", "active")


async def test_one_order_without_an_answer_holds_up_no_other(town: Town, catch_up: CatchUp, processor: Processor) -> None:
    people = await town.members(2)
    silent, late = [await town.order(who, checkout_session_id=f"cs_{who}") for who in people]
    processor.silent[f"cs_{people[0]}"] = TransientError("no network")
    processor.checks_out(f"cs_{people[1]}", late, CheckoutStatus.EXPIRED)
    await catch_up.run()
    assert [await status(town.db, silent), await status(town.db, late)] == ["open", "expired"]


async def test_a_flood_of_cancels_waits_and_moves_the_cursor_all_the_same(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    people = await town.members(30)
    await town.grant(people)
    for number, name in enumerate(await town.subscribe(people, clock.now() + 10 * DAY)):
        processor.says(name, "canceled", clock.now())
        processor.event(f"evt_{number}", "customer.subscription.deleted", name, clock.now() - HOUR)
    report = await catch_up.run()
    assert report.counts["subscriptions held back", town.id] == 30
    async with town.db.transaction() as session:
        row = await session.get_one(CommunityRow, town.id)
        assert row.stopped_at == clock.now()
        row.confirmed_at = clock.now()
    clock.advance(2 * DAY)
    processor.happened.clear()
    await catch_up.run()
    async with town.db.reading() as session:
        assert set((await session.exec(select(EntitlementRow.state))).all()) == {"ended"}


async def test_a_dry_run_touches_nothing_and_says_what_it_found(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock
) -> None:
    people = await town.members(3)
    [name] = await town.subscribe([people[0]], clock.now() + 10 * DAY)
    processor.says(name, "canceled", clock.now())
    order = await town.order(people[1], checkout_session_id="cs_1")
    processor.checks_out("cs_1", order, CheckoutStatus.EXPIRED)
    processor.says("sub_new", "active", clock.now() + DAY, reference=await town.order(people[2]))
    processor.event("evt_1", "invoice.paid", "in_1", clock.now() - DAY)
    before = await everything(town.db)
    woken: list[Lane] = []
    town.db.on_wake(woken.append)

    report = await catch_up.run(dry_run=True)

    assert await everything(town.db) == before
    assert not woken
    assert {what for what, _ in report.counts} == {
        "events for the account's lane", "orders whose checkout is over", "subscriptions asked", "subscriptions changed",
        "subscriptions we had not heard of",
    }  # fmt: skip


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_late_delivery_of_what_we_found_ourselves_is_no_news(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, when: str
) -> None:
    processor.event("evt_1", "customer.subscription.updated", "sub_of_another_shop", clock.now() - DAY)
    processor.says("sub_of_another_shop", "active", clock.now() + DAY)
    delivered = InboxRow(
        id="d", kind=InboxKind.STRIPE, source="stripe:env", event_id="evt_1", type="customer.subscription.updated", lane=Lane("stripe:env"),
        payload=b"", received_at=clock.now(), due_at=clock.now(),
    )  # fmt: skip
    if when == "before":
        async with town.db.transaction() as session:
            session.add(delivered)
    await catch_up.run()
    expected = WorkStatus.PENDING if when == "before" else WorkStatus.DONE
    assert await inbox(town.db) == {"evt_1": (expected, "stripe:env")}


@pytest.mark.parametrize("poison", ["order", "subscription", "unheard of"])
async def test_one_that_is_poisoned_holds_up_no_other(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, caplog: pytest.LogCaptureFixture, poison: str
) -> None:
    people = await town.members(4)
    orders = [await town.order(who, checkout_session_id=f"cs_{who}") for who in people[:2]]
    names = await town.subscribe(people[2:], clock.now() + 30 * DAY)
    for who, order in zip(people, orders, strict=False):
        processor.checks_out(f"cs_{who}", order, CheckoutStatus.EXPIRED)
    for name in names:
        processor.says(name, "canceled", clock.now())
    processor.says("sub_bad", "active", clock.now() + DAY, reference=await town.order(await town.member()))
    bad = {"order": f"cs_{people[0]}", "subscription": names[0], "unheard of": "sub_bad"}[poison]
    processor.silent[bad] = ValueError("a word we cannot read")
    report = await catch_up.run()
    assert await status(town.db, orders[1]) == "expired"
    assert await state(town.db, names[1]) == ("canceled", "ended")
    reference = orders[0] if poison == "order" else bad
    assert report.troubles == [f"{reference}: met a fault, see the log"]
    assert reference in caplog.text
    assert "a word we cannot read" in caplog.text
    processor.silent.clear()
    assert (await catch_up.run()).troubles == []
    assert await state(town.db, names[0]) == ("canceled", "ended")
    assert await status(town.db, orders[0]) == "expired"
    assert await state(town.db, "sub_bad") == ("active", "active")


async def test_an_answer_that_cannot_be_written_holds_up_no_other(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    names = await town.subscribe(await town.members(2), clock.now() + 30 * DAY)
    processor.says(names[0], "active", clock.now().replace(tzinfo=None))
    processor.says(names[1], "canceled", clock.now())
    report = await catch_up.run()
    assert await state(town.db, names[1]) == ("canceled", "ended")
    assert names[0] in caplog.text
    assert report.troubles == [f"{names[0]}: met a fault, see the log"]


async def test_one_account_that_is_poisoned_holds_up_no_other(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = StripeAccountId("a-first")
    async with town.db.transaction() as session:
        session.add(StripeAccountRow(id=first, kind=StripeAccountKind.CONNECT, created_at=clock.now()))
    reach = processor.of

    async def of(account: StripeAccountId) -> PaymentGateway:
        if account == first:
            raise ValueError("a key we cannot read")
        return await reach(account)

    monkeypatch.setattr(processor, "of", of)
    processor.event("evt_1", "invoice.paid", "in_1", clock.now() - DAY)
    report = await catch_up.run()
    assert report.troubles == ["a-first: met a fault, see the log"]
    assert "evt_1" in await inbox(town.db)


async def test_an_order_whose_checkout_nobody_knows_is_given_up_a_day_after_its_time(
    town: Town, catch_up: CatchUp, clock: VirtualClock
) -> None:
    ends = clock.now() + HOUR
    lost, pending = [
        await town.order(who, checkout_session_id=f"cs_{who}", expires_at=ends, status=state)
        for who, state in zip(await town.members(2), [OrderStatus.OPEN, OrderStatus.PENDING], strict=True)
    ]
    clock.advance(HOUR + DAY - timedelta(seconds=1))
    await catch_up.run()
    assert await status(town.db, lost) == "open"
    clock.advance(timedelta(seconds=1))
    before = await everything(town.db)
    assert (await catch_up.run(dry_run=True)).counts["orders whose checkout is over", town.id] == 1
    assert await everything(town.db) == before
    await catch_up.run()
    assert [await status(town.db, order) for order in (lost, pending)] == ["expired", "pending"]
    async with town.db.reading() as session:
        audited = (await session.exec(select(AuditRow.action).where(AuditRow.subject_id == lost))).all()
    assert audited == ["order.expired"]
