"""Refunds that take their time: access ends with them, the books wait for them, and one that fails gives everything back."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import select

from billing.plan import parse_interval
from billing.routing import ROUTES, Subject, subject_of
from billing.stripe.events import SUBSCRIBED
from core.ids import Ids
from core.money import Money
from sandbox.clock import VirtualClock
from sandbox.town import EVENTS
from storage.database import Database
from storage.entitlements import EntitlementRow
from storage.ledger import LedgerRow
from storage.outbox import OutboxKind, OutboxRow
from storage.stripe_accounts import ENVIRONMENT
from storage.tips import TipRow
from tests.billing.market import BEN, Market, open_market

GOES_THROUGH_LATER, FAILS_LATER = "4000000000007726", "4000000000005126"
DAYS = timedelta(days=2, minutes=1)


@pytest.fixture
async def market(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    async with open_market(sqlite_database, clock, ids) as opened:
        yield opened


async def state(market: Market) -> str:
    async with market.db.reading() as session:
        return str((await session.exec(select(EntitlementRow.state))).one())


async def booked(market: Market) -> int:
    """What the books say was given back, less what came back."""
    async with market.db.reading() as session:
        rows = (await session.exec(select(LedgerRow))).all()
    return sum(row.amount for row in rows if row.debit == "refunds") - sum(row.amount for row in rows if row.credit == "refunds")


async def given_back(market: Market) -> str:
    """Have the payment given back and looked at; returns the refund's id."""
    (charge,) = market.stripe.account.table("charge").rows
    refund = await market.cashiers.refund(charge.id)
    await market.payments.look(ENVIRONMENT, refund, cause=market.cause())
    return refund


@pytest.mark.parametrize("interval", ["once", "30 days", "month"])
async def test_a_refund_on_its_way_ends_access_and_is_booked_once_it_went_through(
    market: Market, clock: VirtualClock, interval: str
) -> None:
    await market.plan(interval=parse_interval(interval))
    await market.buy(await market.link(), BEN, GOES_THROUGH_LATER)
    refund = await given_back(market)
    assert (await state(market), await booked(market)) == ("ended", 0)
    async with market.db.reading() as session:
        again = (await session.exec(select(OutboxRow).where(OutboxRow.kind == OutboxKind.REFETCH))).all()
    assert [row.subject for row in again if row.due_at > clock.now()]
    clock.advance(DAYS)
    await market.payments.look(ENVIRONMENT, refund, cause=market.cause())
    assert (await state(market), await booked(market)) == ("ended", 999)


@pytest.mark.parametrize("interval", ["once", "30 days", "month"])
async def test_a_refund_that_fails_opens_again_what_it_ended(market: Market, clock: VirtualClock, interval: str) -> None:
    await market.plan(interval=parse_interval(interval))
    await market.buy(await market.link(), BEN, FAILS_LATER)
    refund = await given_back(market)
    assert (await state(market), await booked(market)) == ("ended", 999)
    clock.advance(DAYS)
    for _ in range(2):
        await market.payments.look(ENVIRONMENT, refund, cause=market.cause())
        assert (await state(market), await booked(market)) == ("active", 0)


async def test_a_pass_whose_refund_failed_after_its_end_has_what_was_left_of_it(market: Market, clock: VirtualClock) -> None:
    await market.plan(interval=parse_interval("1 day"))
    await market.buy(await market.link(), BEN, FAILS_LATER)
    refund = await given_back(market)
    clock.advance(DAYS)
    await market.payments.look(ENVIRONMENT, refund, cause=market.cause())
    assert (await state(market), await booked(market)) == ("active", 0)
    async with market.db.reading() as session:
        assert (await session.exec(select(EntitlementRow.expires_at))).one() == clock.now() + timedelta(days=1)


async def test_a_tip_whose_refund_fails_is_paid_again(market: Market, clock: VirtualClock) -> None:
    tip = await market.tips.start(
        market.home.community_id, market.home.space_id, BEN, Money(500, "USD"), "", anonymous=False, cause=market.cause()
    )
    await market.cashiers.pay(tip.url, FAILS_LATER)
    (session,) = market.stripe.account.table("checkout.session").rows
    gateway = await market.gateways.of(ENVIRONMENT)
    await market.tips.settle(ENVIRONMENT, await gateway.checkout(session.id), cause=market.cause())
    refund = await given_back(market)
    for expected in ("refunded", "paid"):
        async with market.db.reading() as rows:
            assert (await rows.exec(select(TipRow.status))).one() == expected
        clock.advance(DAYS)
        await market.payments.look(ENVIRONMENT, refund, cause=market.cause())


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "refund.failed"])
def test_what_tells_of_refunds_is_subscribed_to_and_looked_at(kind: str) -> None:
    assert kind in SUBSCRIBED
    assert ROUTES[kind] is Subject.PAYMENT
    assert {subject_of(name) for name in ("re_1", "pyr_1", "py_1")} == {Subject.PAYMENT}


def test_all_that_is_routed_is_subscribed_to() -> None:
    assert set(ROUTES) == set(SUBSCRIBED) == set(EVENTS)
