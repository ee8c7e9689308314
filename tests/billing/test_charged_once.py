"""Nobody is charged twice, and nobody who may pay is kept from paying."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlmodel import SQLModel, select

from billing.plan import parse_interval
from billing.tip import TipStarted
from core.errors import Refusal, TransientError
from core.ids import Ids
from core.money import Money
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, FaultKind
from sandbox.stripe.resource import Resource
from storage.audit import AuditRow
from storage.customers import CustomerRow
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState
from storage.orders import OrderRow, OrderStatus
from storage.outbox import OutboxRow
from storage.stripe_accounts import ENVIRONMENT
from storage.tips import TipStatus
from tests.billing.market import BEN, CLEO, Market, open_market, role

RowT = TypeVar("RowT", bound=SQLModel)


@pytest.fixture
async def market(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    async with open_market(sqlite_database, clock, ids) as opened:
        yield opened


async def rows(market: Market, kind: type[RowT]) -> list[RowT]:
    async with market.db.reading() as session:
        return list((await session.exec(select(kind))).all())


def at_stripe(market: Market, kind: str) -> list[Resource]:
    return list(market.stripe.account.table(kind).rows)


async def refused(doing: object) -> Refusal:
    with pytest.raises(Refusal) as said:
        await doing  # type: ignore[misc]
    return said.value


async def give_back(market: Market) -> None:
    (charge,) = at_stripe(market, "charge")
    await market.cashiers.refund(charge["payment_intent"], charge["amount"])
    await market.payments.look(ENVIRONMENT, charge.id, cause=market.cause())


# subscriptions that live on at the processor


async def test_a_payer_whose_subscription_cannot_be_read_yet_is_not_sold_another(market: Market) -> None:
    await market.plan()
    code = await market.link()
    started = await market.checkouts.start(code, BEN, cause=market.cause())
    await market.cashiers.pay(started.url)
    fault = market.stripe.wire.faults.add(Fault("stripe", FaultKind.SERVER_ERROR, "GET /v1/subscriptions", times=None))
    with pytest.raises(TransientError):
        await market.settle(started.order_id)
    again = await market.checkouts.start(code, BEN, cause=market.cause())
    assert again.url.endswith(f"/welcome/{started.order_id}")
    market.stripe.wire.faults.lift(fault)
    await market.settle(started.order_id)
    assert [order.status for order in await rows(market, OrderRow)] == [OrderStatus.PAID]
    assert [held.state for held in await rows(market, EntitlementRow)] == [EntitlementState.ACTIVE]


async def test_an_order_paid_for_a_subscription_we_do_not_hold_counts_as_money_on_its_way(market: Market) -> None:
    await market.plan()
    code = await market.link()
    started = await market.checkouts.start(code, BEN, cause=market.cause())
    async with market.db.transaction() as session:
        order = await session.get_one(OrderRow, started.order_id)
        order.status, order.stripe_subscription_id = OrderStatus.PAID, "sub_unread"
        session.add(order)
    assert (await refused(market.checkouts.start(code, BEN, cause=market.cause()))).code == "payment_pending"


async def test_a_subscription_whose_payment_was_given_back_is_not_sold_beside_itself(market: Market) -> None:
    await market.plan()
    code = await market.link()
    await market.buy(code, BEN)
    await give_back(market)
    assert [held.state for held in await rows(market, EntitlementRow)] == [EntitlementState.ENDED]
    said = await refused(market.checkouts.start(code, BEN, cause=market.cause()))
    assert said.code == "payment_waiting"
    assert "still renews" in said.message
    assert "/manage" in said.message
    (notice,) = [row.payload["facts"] for row in await rows(market, OutboxRow) if row.payload.get("kind") == "ended"]
    assert (notice["why"], notice["renews"]) == ("refund", True)


async def test_once_the_refunded_subscription_is_over_it_is_sold_again(market: Market) -> None:
    await market.plan()
    code = await market.link()
    await market.buy(code, BEN)
    await give_back(market)
    (held,) = at_stripe(market, "subscription")
    gateway = await market.gateways.of(ENVIRONMENT)
    await gateway.cancel_subscription(held.id, at_period_end=False, key="cancel")
    await market.subscriptions.refresh(ENVIRONMENT, held.id, cause=market.cause())
    await market.buy(code, BEN)
    assert [row["status"] for row in at_stripe(market, "subscription")] == ["canceled", "active"]


# customers


async def test_two_checkouts_before_the_first_payment_are_of_one_customer(market: Market) -> None:
    await market.plan()
    await market.plan(name="Silver", resources=(role("Silver"),))
    started = [await market.checkouts.start(await market.link(plan), BEN, cause=market.cause()) for plan in ("Gold", "Silver")]
    for checkout in started:
        await market.cashiers.pay(checkout.url)
        await market.settle(checkout.order_id)
    (customer,) = at_stripe(market, "customer")
    assert {row["customer"] for row in at_stripe(market, "subscription")} == {customer.id}
    (row,) = await rows(market, CustomerRow)
    assert (row.stripe_customer_id, customer["name"]) == (customer.id, "Ben")
    assert customer["metadata"] == {"doorman_member": row.member_id, "doorman_community": row.community_id}


async def test_an_answer_lost_on_the_way_makes_no_second_customer_not_even_for_somebody_renamed_since(market: Market) -> None:
    await market.plan()
    code = await market.link()
    fault = market.stripe.wire.faults.add(Fault("stripe", FaultKind.TIMEOUT_AFTER, "POST /v1/customers", times=None))
    with pytest.raises(TransientError):
        await market.checkouts.start(code, BEN, cause=market.cause())
    market.stripe.wire.faults.lift(fault)
    assert (await market.checkouts.start(code, BEN, cause=market.cause())).url
    assert len(at_stripe(market, "customer")) == 1
    fault = market.stripe.wire.faults.add(Fault("stripe", FaultKind.TIMEOUT_AFTER, "POST /v1/customers", times=None))
    with pytest.raises(TransientError):
        await market.checkouts.start(code, CLEO, cause=market.cause())
    market.stripe.wire.faults.lift(fault)
    assert (await market.checkouts.start(code, replace(CLEO, name="Cleopatra"), cause=market.cause())).url


async def delete_customer(market: Market) -> str:
    (row,) = await rows(market, CustomerRow)
    return await market.cashiers.delete_customer(row.stripe_customer_id)


async def test_who_was_deleted_at_the_processor_buys_as_a_new_customer(market: Market) -> None:
    await market.plan(interval=parse_interval("30 days"))
    code = await market.link()
    await market.buy(code, BEN)
    gone = await delete_customer(market)
    await market.buy(code, BEN)
    (row,) = await rows(market, CustomerRow)
    assert row.stripe_customer_id != gone
    assert sorted(order.status for order in await rows(market, OrderRow)) == [OrderStatus.EXPIRED, OrderStatus.PAID, OrderStatus.PAID]
    assert await market.checkouts.portal(market.home.community_id, BEN, "http://x")


async def test_who_was_deleted_at_the_processor_tips_as_a_new_customer(market: Market) -> None:
    terms = (market.home.community_id, market.home.space_id, BEN, Money(500, "USD"), "")
    await market.tips.start(*terms, anonymous=False, cause=market.cause())
    gone = await delete_customer(market)
    tip = await market.tips.start(*terms, anonymous=False, cause=market.cause())
    await market.cashiers.pay(tip.url)
    (row,) = await rows(market, CustomerRow)
    assert row.stripe_customer_id != gone


async def test_there_is_nothing_to_manage_for_who_was_deleted_at_the_processor(market: Market) -> None:
    await market.plan(interval=parse_interval("30 days"))
    await market.buy(await market.link(), BEN)
    await delete_customer(market)
    assert (await refused(market.checkouts.portal(market.home.community_id, BEN, "http://x"))).code == "no_customer"


async def test_plans_in_two_currencies_are_sold_to_one_member_and_the_portal_is_that_of_the_one_that_lives(market: Market) -> None:
    await market.plan()
    await market.plan(name="Euro", price=Money(999, "EUR"), resources=(role("Silver"),))
    await market.buy(await market.link("Gold"), BEN)
    await market.buy(await market.link("Euro"), BEN)
    assert [row["status"] for row in at_stripe(market, "subscription")] == ["active", "active"]
    assert sorted(row.currency for row in await rows(market, CustomerRow)) == ["EUR", "USD"]
    gateway = await market.gateways.of(ENVIRONMENT)
    for over, living in (("usd", "eur"), ("eur", "usd")):
        if over == "eur":
            await market.buy(await market.link("Gold"), BEN)
        held = next(row for row in at_stripe(market, "subscription") if row["currency"] == over and row["status"] == "active")
        await gateway.cancel_subscription(held.id, at_period_end=False, key=f"cancel {over}")
        await market.subscriptions.refresh(ENVIRONMENT, held.id, cause=market.cause())
        await market.checkouts.portal(market.home.community_id, BEN, "http://x")
        opened = at_stripe(market, "billing_portal.session")[-1]["customer"]
        assert opened == next(
            row["customer"] for row in at_stripe(market, "subscription") if row["currency"] == living and row["status"] == "active"
        )


# places, trials, clicks


async def test_a_checkout_that_never_opened_does_not_hold_the_last_place_against_its_own_payer(market: Market) -> None:
    await market.plan()
    code = await market.link(max_uses=1, bound=BEN)
    fault = market.stripe.wire.faults.add(Fault("stripe", FaultKind.SERVER_ERROR, "POST /v1/checkout/sessions", times=None))
    with pytest.raises(TransientError):
        await market.checkouts.start(code, BEN, cause=market.cause())
    market.stripe.wire.faults.lift(fault)
    market.clock.advance(timedelta(minutes=6))
    assert (await market.checkouts.start(code, BEN, cause=market.cause())).url
    assert sorted(order.status for order in await rows(market, OrderRow)) == [OrderStatus.EXPIRED, OrderStatus.OPEN]


async def test_two_tabs_are_one_trial(market: Market) -> None:
    await market.plan(trial_days=30)
    await market.plan(name="Silver", trial_days=30, resources=(role("Silver"),))
    started = [await market.checkouts.start(await market.link(plan), BEN, cause=market.cause()) for plan in ("Gold", "Silver")]
    for checkout in started:
        await market.cashiers.pay(checkout.url)
        await market.settle(checkout.order_id)
    assert [row["status"] for row in at_stripe(market, "subscription")] == ["trialing", "active"]


async def test_a_trial_that_was_not_begun_can_be_had_later(market: Market) -> None:
    await market.plan(trial_days=30)
    await market.plan(name="Silver", trial_days=30, resources=(role("Silver"),))
    left = await market.checkouts.start(await market.link("Gold"), BEN, cause=market.cause())
    market.clock.advance(timedelta(hours=2))
    await market.settle(left.order_id)
    await market.buy(await market.link("Silver"), BEN)
    assert [row["status"] for row in at_stripe(market, "subscription")] == ["trialing"]


async def test_two_clicks_at_the_same_moment_are_one_order(database: Database, clock: VirtualClock, ids: Ids) -> None:
    async with open_market(database, clock, ids) as market:
        await market.plan()
        code = await market.link()
        await market.plan(name="Silver", resources=(role("Silver"),))
        await market.checkouts.start(await market.link("Silver"), BEN, cause=market.cause())  # nothing about the person is new
        clicks = await asyncio.gather(*(market.checkouts.start(code, BEN, cause=market.cause()) for _ in range(4)))
        assert len({(click.url, click.order_id) for click in clicks}) == 1
        assert len(await rows(market, OrderRow)) == 2


# what becomes of them is written down


async def history(market: Market, subject: str) -> list[tuple[object, object]]:
    found = [row for row in await rows(market, AuditRow) if row.subject_id == subject and "status" in row.before]
    return [(row.before["status"], row.after["status"]) for row in sorted(found, key=lambda row: row.at)]


async def test_an_order_given_up_says_so(market: Market) -> None:
    await market.plan()
    code = await market.link()
    first = await market.checkouts.start(code, BEN, cause=market.cause())
    market.clock.advance(timedelta(hours=2))
    await market.checkouts.start(code, BEN, cause=market.cause())
    assert await history(market, first.order_id) == [("open", "expired")]


async def tip(market: Market) -> TipStarted:
    terms = (market.home.community_id, market.home.space_id, BEN, Money(5000, "USD"), "")
    return await market.tips.start(*terms, anonymous=False, cause=market.cause())


async def settle_tip(market: Market) -> None:
    gateway = await market.gateways.of(ENVIRONMENT)
    (session,) = at_stripe(market, "checkout.session")
    await market.tips.settle(ENVIRONMENT, await gateway.checkout(session.id), cause=market.cause())


async def test_a_tip_whose_payment_does_not_arrive_has_failed(market: Market) -> None:
    started = await tip(market)
    await market.cashiers.pay(started.url, bank_account="000111111116")
    await settle_tip(market)
    assert (await market.tips.look(started.tip_id)).state == TipStatus.PENDING
    market.clock.advance(timedelta(days=10))
    await settle_tip(market)
    assert (await market.tips.look(started.tip_id)).state == TipStatus.FAILED
    assert await history(market, started.tip_id) == [("open", "pending"), ("pending", "failed")]


async def test_a_tip_that_was_not_paid_says_so(market: Market) -> None:
    started = await tip(market)
    market.clock.advance(timedelta(hours=2))
    await settle_tip(market)
    assert await history(market, started.tip_id) == [("open", "expired")]


# plans


async def test_a_plan_finished_later_is_what_was_asked_for_last(market: Market) -> None:
    fault = market.stripe.wire.faults.add(Fault("stripe", FaultKind.SERVER_ERROR, "POST /v1/prices", times=None))
    with pytest.raises(TransientError):
        await market.plan(resources=(role("Lounge"),), description="The lounge.")
    market.stripe.wire.faults.lift(fault)
    plan = await market.plan(resources=(role("Gold"),), description="Gold for all.")
    assert ([resource.name for resource in plan.resources], plan.description) == (["Gold"], "Gold for all.")
    (price,) = at_stripe(market, "price")
    assert market.stripe.account.table("product").get(price["product"])["description"] == "Gold for all."
    assert (await refused(market.plan(resources=(role("Lounge"),)))).code == "name_taken"
