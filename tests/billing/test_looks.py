import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from billing import looks
from billing.looks import Looks
from core.errors import TransientError
from core.ids import Ids
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, FaultKind
from storage.database import Database
from storage.ledger import LedgerRow
from storage.stripe_accounts import ENVIRONMENT
from tests.billing.market import BEN, Market, open_market

MOMENT = timedelta(milliseconds=1)


async def look(of: Looks, name: str, since: datetime | None) -> bool:
    """Say whether a look was made."""
    async with of.at(name, since) as asked_at:
        if asked_at is not None:
            of.count(name, asked_at)
        return asked_at is not None


async def test_a_look_answers_for_what_came_in_before_it_and_for_nothing_later(clock: VirtualClock) -> None:
    known = Looks(clock)
    before = clock.now()
    clock.advance(MOMENT)
    assert await look(known, "sub_1", before)
    assert "sub_1" in known
    assert not await look(known, "sub_1", before)
    assert await look(known, "sub_1", clock.now()), "it may have come in after the processor had answered"
    assert await look(known, "sub_2", before), "another one was never looked at"
    assert await look(known, "sub_1", None), "whoever does not say since when wants a fresh look"


async def test_whoever_comes_during_a_look_waits_for_it_and_takes_its_answer(clock: VirtualClock) -> None:
    known = Looks(clock)
    before = clock.now()
    clock.advance(MOMENT)
    async with known.at("sub_1", before) as asked_at:
        other = asyncio.get_running_loop().create_task(look(known, "sub_1", before))
        await asyncio.sleep(0)
        assert asked_at == clock.now()
        assert not other.done()
        assert asked_at is not None
        known.count("sub_1", asked_at)
    assert not await other


async def test_a_look_that_had_to_leave_something_answers_for_nothing(clock: VirtualClock) -> None:
    known = Looks(clock)
    before = clock.now()
    clock.advance(MOMENT)
    async with known.at("pi_1", before):
        pass
    assert await look(known, "pi_1", before)


async def test_a_look_that_failed_answers_for_nothing(clock: VirtualClock) -> None:
    known = Looks(clock)
    before = clock.now()
    clock.advance(MOMENT)
    with pytest.raises(OSError, match="no answer"):
        async with known.at("sub_1", before):
            raise OSError("no answer")
    assert await look(known, "sub_1", before)


async def test_the_oldest_are_forgotten(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "REMEMBERED", 2)
    known = Looks(clock)
    for name in ("sub_1", "sub_2", "sub_3"):
        await look(known, name, None)
    assert ("sub_1" in known, "sub_2" in known, "sub_3" in known) == (False, True, True)


@pytest.fixture
async def market(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    async with open_market(sqlite_database, clock, ids) as opened:
        yield opened


async def paid(market: Market) -> tuple[str, str]:
    """Have somebody subscribe, of whom we know nothing yet; returns the payment and its invoice."""
    await market.plan()
    started = await market.checkouts.start(await market.link(), BEN, cause=market.cause())
    await market.cashiers.pay(started.url)
    at = market.stripe.account.table
    return at("payment_intent").rows[0].id, at("invoice").rows[0].id


async def booked(market: Market) -> list[int]:
    async with market.db.reading() as session:
        return list((await session.exec(select(LedgerRow.amount).where(LedgerRow.credit == "sales"))).all())


async def test_a_payment_booked_with_its_invoice_is_not_asked_for_again_by_what_came_before(market: Market, clock: VirtualClock) -> None:
    payment, invoice = await paid(market)
    came = clock.now()
    clock.advance(MOMENT)
    await market.payments.invoice(ENVIRONMENT, invoice, cause=market.cause(), since=came)
    assert await booked(market) == [999]
    market.stripe.wire.faults.add(Fault("stripe", FaultKind.SERVER_ERROR, times=None))
    await market.payments.look(ENVIRONMENT, payment, cause=market.cause(), since=came)
    with pytest.raises(TransientError):
        await market.payments.look(ENVIRONMENT, payment, cause=market.cause(), since=clock.now())


async def test_a_payment_looked_at_before_we_knew_its_subscription_is_booked_by_what_came_before_that(
    market: Market, clock: VirtualClock
) -> None:
    payment, invoice = await paid(market)
    came = clock.now()
    clock.advance(MOMENT)
    await market.payments.look(ENVIRONMENT, payment, cause=market.cause(), since=came)
    assert await booked(market) == []
    await market.payments.invoice(ENVIRONMENT, invoice, cause=market.cause(), since=came)
    assert await booked(market) == [999]
