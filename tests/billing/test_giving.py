"""Passes, comp days and gifts: how they follow one another, and what ends them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from billing.gift import GiftStarted, NewGift
from billing.plan import parse_interval
from core.errors import Refusal
from core.ids import CauseId, GiftId, Ids
from core.people import Identity
from core.spans import plus
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.extensions import ExtensionRow
from storage.gifts import GiftRow, GiftStatus
from storage.outbox import OutboxRow
from storage.states import hashed
from storage.stripe_accounts import ENVIRONMENT
from storage.subscriptions import SubscriptionRow
from tests.billing.market import ANN, BEN, CLEO, Market, open_market


@pytest.fixture
async def market(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    async with open_market(sqlite_database, clock, ids) as opened:
        yield opened


async def refusal(doing: object, code: str) -> str:
    with pytest.raises(Refusal) as refused:
        await doing  # type: ignore[misc]
    assert refused.value.code == code
    return refused.value.message


async def held(market: Market) -> list[EntitlementRow]:
    async with market.db.reading() as session:
        rows = (await session.exec(select(EntitlementRow))).all()
    return sorted((row for row in rows if row.state == EntitlementState.ACTIVE), key=lambda row: row.starts_at)


async def subscription(market: Market) -> SubscriptionRow:
    async with market.db.reading() as session:
        return (await session.exec(select(SubscriptionRow))).one()


async def comp(market: Market, who: Identity = ANN, days: int = 10, cause: CauseId | None = None) -> object:
    return await market.comps.give(market.home.community_id, who, "Gold", days, actor="den:1", cause=cause or market.cause())


async def pass_of(market: Market, days: int) -> str:
    await market.plan(interval=parse_interval(f"{days} days"))
    return await market.link()


async def give(market: Market, to: Identity | None, giver: Identity = CLEO, count: int = 1, cause: CauseId | None = None) -> GiftStarted:
    return await market.gifts.start(market.home.community_id, giver, NewGift("Gold", count, to), cause=cause or market.cause())


async def pay(market: Market, started: GiftStarted) -> GiftId:
    """Pay a gift, and have the processor's word come in."""
    await market.cashiers.pay(started.url)
    row = next(row for row in market.stripe.account.table("checkout.session").rows if row["url"] is None and started.url.endswith(row.id))
    gateway = await market.gateways.of(ENVIRONMENT)
    await market.gifts.settle(ENVIRONMENT, await gateway.checkout(row.id), cause=market.cause())
    return GiftId(row["client_reference_id"])


async def give_back(market: Market, gift: GiftId) -> None:
    async with market.db.reading() as session:
        intent = (await session.get_one(GiftRow, gift)).stripe_payment_intent_id
    async with market.stripe.people() as creator:
        await creator.refund(intent)
    await market.payments.look(ENVIRONMENT, intent, cause=market.cause())


async def told(market: Market, kind: str) -> list[dict[str, object]]:
    async with market.db.reading() as session:
        rows = (await session.exec(select(OutboxRow))).all()
    return [row.payload["facts"] for row in rows if row.payload.get("kind") == kind]


def moments(rows: list[EntitlementRow]) -> list[tuple[datetime, datetime | None]]:
    return [(row.starts_at, row.expires_at) for row in rows]


async def test_passes_stack_and_when_the_first_is_given_back_the_second_follows_at_once(market: Market, clock: VirtualClock) -> None:
    code = await pass_of(market, 30)
    first, second = await market.buy(code, ANN), await market.buy(code, ANN)
    start = clock.now()
    assert moments(await held(market))[1][1] == start + timedelta(days=60)
    clock.advance(timedelta(days=10))
    async with market.stripe.people() as creator:
        await creator.refund(market.stripe.account.table("payment_intent").rows[0].id)
    await market.payments.look(ENVIRONMENT, market.stripe.account.table("payment_intent").rows[0].id, cause=market.cause())
    (left,) = await held(market)
    assert (left.source_id, left.starts_at, left.expires_at) == (second, clock.now(), clock.now() + timedelta(days=30))
    assert first != second


async def test_comp_days_follow_a_pass(market: Market, clock: VirtualClock) -> None:
    await market.buy(await pass_of(market, 30), ANN)
    await comp(market)
    bought, given = await held(market)
    assert (given.source_kind, given.starts_at) == (SourceKind.COMP, bought.expires_at)
    assert given.expires_at == clock.now() + timedelta(days=40)


async def test_a_comp_by_the_same_command_run_again_gives_nothing_more(market: Market) -> None:
    await market.plan()
    cause = market.cause()
    assert await comp(market, cause=cause) == await comp(market, cause=cause)
    assert len(await held(market)) == 1


async def test_comp_days_for_somebody_who_pays_move_their_next_payment(market: Market, clock: VirtualClock) -> None:
    await market.plan()
    await market.buy(await market.link(), ANN)
    before = (await subscription(market)).period_end
    await comp(market, days=10)
    row = await subscription(market)
    assert (row.period_end, row.status) == (before + timedelta(days=10), "trialing")
    charges = len(market.stripe.account.table("charge").rows)
    clock.advance(before + timedelta(days=9) - clock.now())
    assert len(market.stripe.account.table("charge").rows) == charges, "nothing is charged before then"
    clock.advance(timedelta(days=2))
    assert len(market.stripe.account.table("charge").rows) == charges + 1


async def test_a_move_left_behind_by_a_crash_is_made_once(market: Market, clock: VirtualClock) -> None:
    await market.plan()
    await market.buy(await market.link(), ANN)
    before = (await subscription(market)).period_end
    await comp(market, days=10)
    async with market.db.transaction() as session:
        row = (await session.exec(select(ExtensionRow))).one()
        row.done_at = None
        session.add(row)
    assert await market.extensions.run() == 0, "its asker may still come back"
    clock.advance(timedelta(minutes=2))
    assert await market.extensions.run() == 1
    assert (await subscription(market)).period_end == before + timedelta(days=10)


@pytest.mark.parametrize(("days", "code"), [(0, "bad_days"), (4000, "bad_days")])
async def test_comp_days_have_bounds(market: Market, days: int, code: str) -> None:
    await market.plan()
    await refusal(comp(market, days=days), code)


async def test_who_has_it_for_life_is_given_no_days(market: Market) -> None:
    await market.plan(interval=parse_interval("once"))
    await market.buy(await market.link(), ANN)
    assert "for life already" in await refusal(comp(market), "has_for_life")


# gifts


async def test_a_gift_to_somebody_lets_them_in_for_a_month_and_tells_both(market: Market, clock: VirtualClock) -> None:
    await market.plan()
    await pay(market, await give(market, BEN))
    (given,) = await held(market)
    assert (given.source_kind, given.expires_at) == (SourceKind.GIFT, plus(clock.now(), parse_interval("month")))
    assert [facts["giver"] for facts in await told(market, "gift")] == ["Cleo"]
    assert [facts["who"] for facts in await told(market, "gift_taken")] == ["Ben"]
    assert market.stripe.account.table("subscription").rows == [], "it does not renew"


async def test_a_gift_heard_of_twice_is_given_once(market: Market) -> None:
    await market.plan()
    gift = await pay(market, await give(market, BEN, count=3))
    gateway = await market.gateways.of(ENVIRONMENT)
    session = next(row for row in market.stripe.account.table("checkout.session").rows if row["client_reference_id"] == gift)
    await market.gifts.settle(ENVIRONMENT, await gateway.checkout(session.id), cause=market.cause())
    assert len(await held(market)) == 1
    assert session["amount_total"] == 3 * 999


async def test_a_gift_to_a_member_who_pays_moves_their_next_payment_and_its_refund_moves_it_back(market: Market) -> None:
    await market.plan()
    await market.buy(await market.link(), BEN)
    before = (await subscription(market)).period_end
    gift = await pay(market, await give(market, BEN))
    assert (await subscription(market)).period_end == plus(before, parse_interval("month"))
    await give_back(market, gift)
    assert (await subscription(market)).period_end == before
    assert [facts["next"] for facts in await told(market, "gift_back")] == [before.isoformat()]
    assert await told(market, "ended") == [], "they go on paying"


async def test_a_gift_given_back_ends(market: Market) -> None:
    await market.plan()
    gift = await pay(market, await give(market, BEN))
    await give_back(market, gift)
    assert await held(market) == []
    async with market.db.reading() as session:
        assert (await session.get_one(GiftRow, gift)).status == GiftStatus.REFUNDED


async def test_who_has_it_for_life_is_given_nothing_before_anybody_pays(market: Market) -> None:
    await market.plan(interval=parse_interval("once"))
    await market.buy(await market.link(), BEN)
    assert "keep it for somebody else" in await refusal(give(market, BEN), "has_for_life")


async def test_a_gift_link_is_taken_by_whoever_opens_it_first(market: Market) -> None:
    await market.plan()
    started = await give(market, None)
    await pay(market, started)
    assert await held(market) == [], "nobody has it yet"
    await market.gifts.take(hashed(started.code), BEN, cause=market.cause())
    said = await refusal(market.gifts.take(hashed(started.code), ANN, cause=market.cause()), "gift_taken")
    assert "ask whoever gave it" in said
    assert len(await held(market)) == 1


async def test_a_gift_link_that_is_not_paid_opens_nothing(market: Market) -> None:
    await market.plan()
    started = await give(market, None)
    assert "not paid for" in await refusal(market.gifts.take(hashed(started.code), BEN, cause=market.cause()), "gift_unpaid")
    assert "letter by letter" in await refusal(market.gifts.take(hashed("guess"), BEN, cause=market.cause()), "gift_unknown")


async def test_an_account_of_another_place_takes_no_gift(market: Market) -> None:
    await market.plan()
    started = await give(market, None)
    await pay(market, started)
    elsewhere = replace(BEN, realm="another")
    await refusal(market.gifts.take(hashed(started.code), elsewhere, cause=market.cause()), "account_elsewhere")


async def test_nobody_gives_to_themselves_or_a_hundred_at_once(market: Market) -> None:
    await market.plan()
    assert "/join" in await refusal(give(market, CLEO), "yourself")
    await refusal(give(market, BEN, count=25), "bad_count")


async def test_a_gift_begun_again_by_the_same_command_is_the_same_checkout(market: Market) -> None:
    await market.plan()
    cause = market.cause()
    first, again = await give(market, BEN, cause=cause), await give(market, BEN, cause=cause)
    assert first.url == again.url


async def test_a_gift_that_was_not_paid_gives_nothing(market: Market, clock: VirtualClock) -> None:
    await market.plan()
    await give(market, BEN)
    clock.advance(timedelta(hours=2))
    (session,) = market.stripe.account.table("checkout.session").rows
    gateway = await market.gateways.of(ENVIRONMENT)
    await market.gifts.settle(ENVIRONMENT, await gateway.checkout(session.id), cause=market.cause())
    async with market.db.reading() as reading:
        assert (await reading.exec(select(GiftRow))).one().status == GiftStatus.EXPIRED
    assert await held(market) == []
