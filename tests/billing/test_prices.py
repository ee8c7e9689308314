"""What a plan can be had for: several prices, amounts people choose, and prices that change."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import select

from billing.plan import parse_interval
from core.errors import Refusal
from core.ids import Ids, PriceId
from core.money import Money
from core.payments import Interval, IntervalUnit
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.orders import OrderRow
from storage.outbox import OutboxRow
from storage.plans import PriceView
from storage.price_moves import PriceMoveRow
from storage.prices import PriceRow
from storage.stripe_accounts import ENVIRONMENT
from storage.subscriptions import SubscriptionRow
from tests.billing.market import ANN, BEN, Market, open_market

YEAR = Interval(IntervalUnit.YEAR)


@pytest.fixture
async def market(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    async with open_market(sqlite_database, clock, ids) as opened:
        yield opened


async def refusal(doing: object, code: str) -> str:
    with pytest.raises(Refusal) as refused:
        await doing  # type: ignore[misc]
    assert refused.value.code == code
    return refused.value.message


async def add(market: Market, price: Money = Money(9900, "USD"), interval: str = "year", floor: Money | None = None) -> PriceView:  # noqa: B008
    _, made = await market.plan_terms.add_price(
        market.home.community_id, "Gold", price, parse_interval(interval), floor, actor="den:1", cause=market.cause()
    )
    return made


async def refreshed(market: Market) -> SubscriptionRow:
    """The one subscription, looked at afresh."""
    (held,) = market.stripe.account.table("subscription").rows
    await market.subscriptions.refresh(ENVIRONMENT, held.id, cause=market.cause())
    async with market.db.reading() as session:
        return (await session.exec(select(SubscriptionRow))).one()


async def told(market: Market, kind: str) -> list[dict[str, object]]:
    async with market.db.reading() as session:
        rows = (await session.exec(select(OutboxRow))).all()
    return [row.payload["facts"] for row in rows if row.payload.get("kind") == kind]


async def test_a_plan_is_sold_by_the_month_and_by_the_year_and_each_buyer_pays_what_they_chose(market: Market) -> None:
    plan = await market.plan()
    yearly = await add(market)
    (view,) = await market.plans.listing(plan.community_id)
    assert [str(price) for price in view.prices] == ["9.99 USD per month", "99.00 USD per year"]
    code = await market.link()
    await market.buy(code, ANN, price=yearly.id)
    await market.buy(code, BEN)
    paid = [row["items"]["data"][0]["price"]["unit_amount"] for row in market.stripe.account.table("subscription").rows]
    assert paid == [9900, 999]


async def test_another_currency_is_another_customer_at_the_processor(market: Market) -> None:
    await market.plan()
    euros = await add(market, Money(899, "EUR"), "month")
    code = await market.link()
    await market.buy(code, ANN, price=euros.id)
    (held,) = market.stripe.account.table("subscription").rows
    assert held["currency"] == "eur"


async def test_whoever_chooses_anew_before_paying_gets_a_new_checkout_and_the_old_one_closes(market: Market) -> None:
    await market.plan()
    yearly = await add(market)
    code = await market.link()
    first = await market.checkouts.start(code, ANN, cause=market.cause())
    second = await market.checkouts.start(code, ANN, cause=market.cause(), price=yearly.id)
    again = await market.checkouts.start(code, ANN, cause=market.cause(), price=yearly.id)
    assert first.order_id != second.order_id == again.order_id
    states = [row["status"] for row in market.stripe.account.table("checkout.session").rows]
    assert states == ["expired", "open"]


async def test_the_same_interval_in_the_same_currency_has_one_price(market: Market) -> None:
    await market.plan()
    assert "/doorman price change" in await refusal(add(market, Money(500, "USD"), "month"), "price_there")


async def test_a_price_that_is_gone_sells_nothing_and_says_so(market: Market) -> None:
    await market.plan()
    yearly = await add(market)
    code = await market.link()
    await market.plan_terms.remove_price(market.home.community_id, "Gold", Money(0, "USD"), YEAR, actor="den:1", cause=market.cause())
    said = await refusal(market.checkouts.start(code, ANN, cause=market.cause(), price=yearly.id), "price_unknown")
    assert "Open your link again" in said
    month = parse_interval("month")
    removed = market.plan_terms.remove_price(market.home.community_id, "Gold", Money(0, "USD"), month, actor="den:1", cause=market.cause())
    assert "Add another price first" in await refusal(removed, "last_price")


async def test_people_pay_what_they_like_from_the_floor_on_and_their_renewals_are_as_much(market: Market) -> None:
    await market.plan()
    free = await add(market, Money(2000, "USD"), "year", Money(500, "USD"))
    code = await market.link()
    low = market.checkouts.start(code, ANN, cause=market.cause(), price=free.id, amount=Money(499, "USD"))
    assert "The least is 5.00 USD" in await refusal(low, "below_floor")
    await market.buy(code, ANN, price=free.id, amount=Money(700, "USD"))
    await market.buy(code, BEN, price=free.id)
    amounts = [row["items"]["data"][0]["price"]["unit_amount"] for row in market.stripe.account.table("subscription").rows]
    assert amounts == [700, 2000]
    async with market.db.reading() as session:
        rows = (await session.exec(select(SubscriptionRow))).all()
        names = {(await session.get_one(OrderRow, order.id)).plan_id for order in (await session.exec(select(OrderRow))).all()}
    assert {row.plan_id for row in rows} == names


async def test_the_same_amount_chosen_twice_is_one_price_at_the_processor(market: Market) -> None:
    await market.plan()
    free = await add(market, Money(2000, "USD"), "year", Money(500, "USD"))
    code = await market.link()
    for who in (ANN, BEN):
        await market.buy(code, who, price=free.id, amount=Money(700, "USD"))
    assert len([row for row in market.stripe.account.table("price").rows if row["unit_amount"] == 700]) == 1


@pytest.mark.parametrize("floor", [Money(2001, "USD"), Money(500, "EUR")])
async def test_a_floor_is_in_the_price_s_currency_and_no_more_than_what_is_suggested(market: Market, floor: Money) -> None:
    await market.plan()
    assert "no more than the suggested 20.00 USD" in await refusal(add(market, Money(2000, "USD"), "year", floor), "bad_floor")


async def changed(market: Market, notice: timedelta | None) -> object:
    return await market.plan_terms.change_price(
        market.home.community_id, "Gold", Money(1299, "USD"), parse_interval("month"), notice=notice, actor="den:1", cause=market.cause()
    )


async def test_who_pays_already_keeps_their_price_when_the_creator_says_so(market: Market) -> None:
    await market.plan()
    code = await market.link()
    await market.buy(code, ANN)
    await changed(market, None)
    await market.buy(code, BEN)
    market.clock.advance(timedelta(days=40))
    assert await market.moves.run() == 0
    prices = [row["items"]["data"][0]["price"]["unit_amount"] for row in market.stripe.account.table("subscription").rows]
    assert (prices, await told(market, "price_change")) == ([999, 1299], [])


async def test_who_is_moved_is_told_first_and_pays_the_new_price_at_the_first_renewal_after_the_notice(market: Market) -> None:
    await market.plan()
    await market.buy(await market.link(), ANN)
    await changed(market, timedelta(days=30))
    (facts,) = await told(market, "price_change")
    assert (facts["before"], facts["after"]) == ("9.99 USD", "12.99 USD")
    assert await market.moves.run() == 0, "not before the notice is over"
    market.clock.advance(timedelta(days=30, minutes=5))
    assert await market.moves.run() == 1
    assert await market.moves.run() == 0
    row = await refreshed(market)
    async with market.db.reading() as session:
        move = (await session.exec(select(PriceMoveRow))).one()
        new = await session.get_one(PriceRow, move.price_id)
    assert (move.error, row.stripe_price_id) == ("", new.stripe_price_id)
    charged = [row["amount"] for row in market.stripe.account.table("charge").rows]
    assert charged[0] == 999
    market.clock.advance(timedelta(days=32))
    assert [row["amount"] for row in market.stripe.account.table("charge").rows][-1] == 1299


async def test_who_left_before_the_notice_was_over_is_not_charged_anything(market: Market) -> None:
    await market.plan()
    await market.buy(await market.link(), ANN)
    await changed(market, timedelta(days=60))
    await market.cancellations.cancel(market.home.community_id, ANN, "too_expensive", cause=market.cause())
    market.clock.advance(timedelta(days=61))
    await refreshed(market)
    before = len(market.stripe.account.table("charge").rows)
    assert await market.moves.run() == 1
    async with market.db.reading() as session:
        move = (await session.exec(select(PriceMoveRow))).one()
    assert "another price by now, or none" in move.error
    assert len(market.stripe.account.table("charge").rows) == before


async def test_notice_is_given_for_a_week_at_least(market: Market) -> None:
    await market.plan()
    assert "7 to 365 days" in await refusal(changed(market, timedelta(days=2)), "bad_notice")


async def test_an_unknown_price_id_is_refused(market: Market) -> None:
    await market.plan()
    start = market.checkouts.start(await market.link(), ANN, cause=market.cause(), price=PriceId("nonsense"))
    await refusal(start, "price_unknown")
