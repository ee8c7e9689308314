"""Nobody is charged twice, and nobody who may pay is kept from paying."""

from collections.abc import AsyncIterator
from typing import TypeVar

import pytest
from sqlmodel import SQLModel, select

from core.errors import Refusal, TransientError
from core.ids import Ids
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, FaultKind
from sandbox.stripe.resource import Resource
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState
from storage.orders import OrderRow, OrderStatus
from storage.outbox import OutboxRow
from storage.stripe_accounts import ENVIRONMENT
from tests.billing.market import BEN, Market, open_market


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
