"""What members change: their plan, a pause, leaving; what creators decide: codes, and who may buy."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import select

from billing.coupon import CouponView, NewCoupon
from billing.moving import Became, Moved, timing_of
from billing.plan import parse_interval
from billing.plan_terms import Terms
from core.errors import Refusal
from core.ids import Ids, PriceId
from core.money import Money
from core.payments import ChangeTiming, Interval, IntervalUnit
from core.people import Identity
from sandbox.clock import VirtualClock
from sandbox.stripe.people import Refused
from storage.cancellations import CancellationRow, Outcome
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState
from storage.outbox import OutboxRow
from storage.plans import PlanView
from storage.stripe_accounts import ENVIRONMENT
from storage.subscriptions import SubscriptionRow
from tests.billing.market import ANN, BEN, Market, open_market, role

PAYS_ONCE = "4000000000000341"
WEEK, MONTH, YEAR = (Interval(unit) for unit in (IntervalUnit.WEEK, IntervalUnit.MONTH, IntervalUnit.YEAR))


@pytest.fixture
async def market(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    async with open_market(sqlite_database, clock, ids) as opened:
        yield opened


async def refusal(doing: object, code: str) -> str:
    with pytest.raises(Refusal) as refused:
        await doing  # type: ignore[misc]
    assert refused.value.code == code
    return refused.value.message


async def silver_and_gold(market: Market) -> tuple[PlanView, PlanView]:
    silver = await market.plan(name="Silver", price=Money(500, "USD"), resources=(role("Silver"),))
    return silver, await market.plan()


async def move(market: Market, price: PriceId, who: Identity = ANN, actor: str = "") -> Moved:
    return await market.moves.move(market.home.community_id, who, price, actor=actor or who.actor, cause=market.cause())


async def refreshed(market: Market) -> SubscriptionRow:
    for row in list(market.stripe.account.table("subscription").rows):
        await market.subscriptions.refresh(ENVIRONMENT, row.id, cause=market.cause())
    async with market.db.reading() as session:
        return (await session.exec(select(SubscriptionRow))).one()


async def opened(market: Market) -> list[str]:
    """The plans that are open."""
    async with market.db.reading() as session:
        rows = (await session.exec(select(EntitlementRow))).all()
    return [row.plan_id for row in rows if row.state == EntitlementState.ACTIVE]


def charged(market: Market) -> list[int]:
    return [row["amount"] for row in market.stripe.account.table("charge").rows if row["status"] == "succeeded"]


# plan changes


@pytest.mark.parametrize(
    ("now", "then", "timing"),
    [
        ((500, MONTH), (999, MONTH), ChangeTiming.PAID),
        ((999, MONTH), (500, MONTH), ChangeTiming.PERIOD_END),
        ((999, MONTH), (999, MONTH), ChangeTiming.PAID),
        ((999, MONTH), (500, YEAR), ChangeTiming.PAID),
        ((9999, YEAR), (99999, MONTH), ChangeTiming.PERIOD_END),
        ((100, WEEK), (100, MONTH), ChangeTiming.PAID),
    ],
)
def test_what_costs_more_or_is_paid_further_ahead_comes_once_paid_the_rest_with_the_next_period(
    now: tuple[int, Interval], then: tuple[int, Interval], timing: ChangeTiming
) -> None:
    assert timing_of(now, then) is timing


async def test_an_upgrade_is_prorated_paid_and_there_at_once(market: Market, clock: VirtualClock) -> None:
    silver, gold = await silver_and_gold(market)
    await market.buy(await market.link("Silver"), ANN)
    clock.advance(timedelta(days=15))
    assert await opened(market) == [silver.id]
    moved = await move(market, gold.price_id)
    assert (moved.became, await opened(market)) == (Became.DONE, [gold.id])
    first, difference = charged(market)
    assert first == 500
    assert 0 < difference < 999 - 500


async def test_an_upgrade_that_is_not_paid_changes_nothing_until_it_is(market: Market) -> None:
    silver, gold = await silver_and_gold(market)
    await market.buy(await market.link("Silver"), ANN, PAYS_ONCE)
    moved = await move(market, gold.price_id)
    assert moved.became is Became.UNPAID
    assert moved.pay_url.startswith("http")
    assert (await refreshed(market)).plan_id == silver.id
    assert await opened(market) == [silver.id]
    await market.cashiers.pay_invoice(moved.pay_url)
    assert (await refreshed(market)).plan_id == gold.id
    assert await opened(market) == [gold.id]


async def test_an_upgrade_that_is_never_paid_is_forgotten(market: Market, clock: VirtualClock) -> None:
    silver, gold = await silver_and_gold(market)
    await market.buy(await market.link("Silver"), ANN, PAYS_ONCE)
    await move(market, gold.price_id)
    clock.advance(timedelta(days=1))
    row = await refreshed(market)
    assert (row.plan_id, row.next_price_id) == (silver.id, None)


async def test_a_downgrade_comes_with_the_next_period_and_costs_nothing_before(market: Market, clock: VirtualClock) -> None:
    silver, gold = await silver_and_gold(market)
    await market.buy(await market.link("Gold"), ANN)
    moved = await move(market, silver.price_id)
    row = await refreshed(market)
    assert (moved.became, moved.at) == (Became.LATER, row.period_end)
    assert (row.plan_id, row.next_price_id) == (gold.id, silver.price_id)
    clock.advance(row.period_end - clock.now() + timedelta(hours=2))
    row = await refreshed(market)
    assert (row.plan_id, row.next_price_id, await opened(market)) == (silver.id, None, [silver.id])
    assert charged(market) == [999, 500]


async def test_a_downgrade_is_called_off_by_choosing_another_way(market: Market, clock: VirtualClock) -> None:
    silver, _ = await silver_and_gold(market)
    await market.buy(await market.link("Gold"), ANN)
    _, yearly = await market.plan_terms.add_price(
        market.home.community_id, "Gold", Money(9900, "USD"), parse_interval("year"), None, actor="den:1", cause=market.cause()
    )
    await move(market, silver.price_id)
    assert (await move(market, yearly.id)).became is Became.DONE
    clock.advance(timedelta(days=40))
    row = await refreshed(market)
    assert row.next_price_id is None
    assert [row["status"] for row in market.stripe.account.table("subscription_schedule").rows] == ["released"]


async def test_the_same_move_again_is_no_second_charge(market: Market) -> None:
    _, gold = await silver_and_gold(market)
    await market.buy(await market.link("Silver"), ANN)
    cause = market.cause()
    await market.moves.move(market.home.community_id, ANN, gold.price_id, actor=ANN.actor, cause=cause)
    paid = charged(market)
    assert "already" in await refusal(move(market, gold.price_id), "already_on_it")
    assert charged(market) == paid


async def test_a_move_into_a_plan_that_is_sold_out_is_refused_and_one_that_waits_holds_its_seat(market: Market) -> None:
    silver, gold = await silver_and_gold(market)
    await market.plan_terms.change(market.home.community_id, "Silver", Terms(seats=1), actor="den:1", cause=market.cause())
    await market.buy(await market.link("Gold"), ANN)
    await market.buy(await market.link("Gold"), BEN)
    await move(market, silver.price_id)
    assert "sold out" in await refusal(move(market, silver.price_id, BEN), "sold_out")
    start = market.checkouts.start(await market.link("Silver"), Identity(ANN.platform, "", ANN.user, "Ann"), cause=market.cause())
    await start  # the seat is hers
    assert gold.id


async def test_the_creator_moves_a_member_who_is_told(market: Market) -> None:
    _, gold = await silver_and_gold(market)
    await market.buy(await market.link("Silver"), ANN)
    await move(market, gold.price_id, actor="den:9")
    async with market.db.reading() as session:
        rows = (await session.exec(select(OutboxRow))).all()
    assert [row.payload["facts"]["plan"] for row in rows if row.payload.get("kind") == "moved"] == ["Gold"]


async def test_who_has_nothing_or_cancelled_is_told_what_to_do_instead(market: Market) -> None:
    _, gold = await silver_and_gold(market)
    assert "/join buys one" in await refusal(move(market, gold.price_id), "nothing_to_change")
    await market.buy(await market.link("Silver"), ANN)
    await market.cancellations.cancel(market.home.community_id, ANN, "unused", cause=market.cause())
    assert "Turn it back on" in await refusal(move(market, gold.price_id), "already_cancelled")


async def test_a_subscription_keeps_its_currency(market: Market) -> None:
    await silver_and_gold(market)
    _, euros = await market.plan_terms.add_price(
        market.home.community_id, "Gold", Money(899, "EUR"), MONTH, None, actor="den:1", cause=market.cause()
    )
    await market.buy(await market.link("Silver"), ANN)
    assert "keeps its currency, USD" in await refusal(move(market, euros.id), "other_currency")
    assert [option.price.money.currency for option in await market.moves.options(market.home.community_id, ANN)] == ["USD"]


# pauses


async def test_a_pause_keeps_what_is_paid_for_then_closes_and_opens_with_the_next_payment(market: Market, clock: VirtualClock) -> None:
    gold = await market.plan()
    await market.buy(await market.link(), ANN)
    paused = await market.pauses.pause(market.home.community_id, ANN, 1, cause=market.cause())
    clock.advance(timedelta(days=20))
    await refreshed(market)
    assert await opened(market) == [gold.id], "it is paid for"
    clock.advance(paused.until - clock.now() + timedelta(hours=2))
    assert (await refreshed(market)).paused_until == paused.resumes_at
    assert await opened(market) == []
    clock.advance(paused.resumes_at - clock.now() + timedelta(hours=4))
    assert (await refreshed(market)).paused_until is None
    assert (charged(market), await opened(market)) == ([999, 999], [gold.id])


async def test_who_resumes_after_the_paid_time_is_charged_and_in_at_once(market: Market, clock: VirtualClock) -> None:
    gold = await market.plan()
    await market.buy(await market.link(), ANN)
    await market.pauses.pause(market.home.community_id, ANN, 3, cause=market.cause())
    clock.advance(timedelta(days=45))
    await refreshed(market)
    assert await opened(market) == []
    resumed = await market.pauses.resume(market.home.community_id, ANN, cause=market.cause())
    await refreshed(market)
    assert (resumed.charged, charged(market), await opened(market)) == (True, [999, 999], [gold.id])


async def test_who_resumes_while_it_is_paid_for_is_charged_nothing(market: Market) -> None:
    await market.plan()
    await market.buy(await market.link(), ANN)
    await market.pauses.pause(market.home.community_id, ANN, 1, cause=market.cause())
    assert not (await market.pauses.resume(market.home.community_id, ANN, cause=market.cause())).charged
    assert (charged(market), (await refreshed(market)).paused_until) == ([999], None)


async def test_pauses_are_as_long_as_the_creator_allows(market: Market) -> None:
    await market.plan()
    await market.buy(await market.link(), ANN)
    community = market.home.community_id
    assert "1 to 3 months" in await refusal(market.pauses.pause(community, ANN, 4, cause=market.cause()), "bad_pause")
    await market.cancellations.offer(community, None, None, 0, actor="den:1", cause=market.cause())
    assert "/manage cancels" in await refusal(market.pauses.pause(community, ANN, 1, cause=market.cause()), "no_pauses")
    assert "not paused" in await refusal(market.pauses.resume(community, ANN, cause=market.cause()), "not_paused")


# leaving


async def test_who_cancels_says_why_and_keeps_what_is_paid_for(market: Market) -> None:
    gold = await market.plan()
    await market.buy(await market.link(), ANN)
    await market.cancellations.cancel(market.home.community_id, ANN, "too_expensive", cause=market.cause())
    (held,) = market.stripe.account.table("subscription").rows
    assert (held["cancel_at_period_end"], held["cancellation_details"]["feedback"]) == (True, "too_expensive")
    assert await opened(market) == [gold.id]
    async with market.db.reading() as session:
        (noted,) = (await session.exec(select(CancellationRow))).all()
    assert (noted.reason, noted.outcome) == ("too_expensive", Outcome.CANCELLED)
    assert "turns it back on" in await refusal(market.cancellations.look(market.home.community_id, ANN), "already_cancelled")


async def test_an_offer_to_stay_takes_something_off_and_is_made_once(market: Market, clock: VirtualClock) -> None:
    await market.plan()
    await market.buy(await market.link(), ANN)
    community = market.home.community_id
    await market.cancellations.offer(community, 20, 2, None, actor="den:1", cause=market.cause())
    leaving = await market.cancellations.look(community, ANN)
    assert (leaving.percent, leaving.months, leaving.pause) == (20, 2, True)
    await market.cancellations.stay(community, ANN, "too_expensive", cause=market.cause())
    clock.advance(timedelta(days=33))
    assert charged(market) == [999, 799]
    assert (await market.cancellations.look(community, ANN)).percent is None
    await refusal(market.cancellations.stay(community, ANN, "unused", cause=market.cause()), "no_offer")


# codes


async def coupon(market: Market, **changed: object) -> CouponView:
    terms = {"code": "spring-25", "percent": 25, "amount": None, "months": None, "max_uses": None, "lifetime": None, **changed}
    return await market.coupons.create(market.home.community_id, NewCoupon(**terms), actor="den:1", cause=market.cause())  # type: ignore[arg-type]


async def test_a_code_is_typed_at_the_checkout_and_counted(market: Market) -> None:
    await market.plan()
    await coupon(market)
    await market.buy(await market.link(), ANN, promotion_code="spring-25")
    assert charged(market) == [749]
    (seen,) = await market.coupons.listing(market.home.community_id)
    assert (seen.row.code, seen.uses, seen.works) == ("SPRING-25", 1, True)


async def test_without_a_code_the_checkout_asks_for_none(market: Market) -> None:
    await market.plan()
    await market.checkouts.start(await market.link(), ANN, cause=market.cause())
    (session,) = market.stripe.account.table("checkout.session").rows
    assert not session["allow_promotion_codes"]


async def test_a_code_for_one_plan_is_worth_nothing_on_another(market: Market) -> None:
    await silver_and_gold(market)
    await coupon(market, plan="Silver")
    with pytest.raises(Refused, match="not for anything on this page"):
        await market.buy(await market.link("Gold"), ANN, promotion_code="SPRING-25")


async def test_a_code_works_as_often_and_as_long_as_it_says(market: Market, clock: VirtualClock) -> None:
    await market.plan()
    await coupon(market, max_uses=1)
    await coupon(market, code="SHORT", lifetime=timedelta(days=2))
    await market.buy(await market.link(), ANN, promotion_code="SPRING-25")
    with pytest.raises(Refused):
        await market.buy(await market.link(), BEN, promotion_code="SPRING-25")
    clock.advance(timedelta(days=3))
    assert [one.row.code for one in await market.coupons.listing(market.home.community_id)] == ["SPRING-25"]


async def test_an_ended_code_works_no_more_and_its_word_is_free_again(market: Market) -> None:
    await market.plan()
    await coupon(market)
    assert "Choose another" in await refusal(coupon(market), "code_taken")
    await market.coupons.end(market.home.community_id, "spring-25", actor="den:1", cause=market.cause())
    assert await market.coupons.listing(market.home.community_id) == []
    assert (await coupon(market)).works
    await refusal(market.coupons.end(market.home.community_id, "NONE", actor="den:1", cause=market.cause()), "code_unknown")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"code": "a b"}, "bad_code"),
        ({"percent": 0}, "bad_off"),
        ({"percent": None}, "bad_off"),
        ({"amount": Money(5, "USD")}, "bad_off"),
        ({"months": 40}, "bad_months"),
        ({"max_uses": 0}, "bad_uses"),
        ({"plan": "Nothing"}, "plan_unknown"),
    ],
)
async def test_a_code_that_cannot_be_is_refused_and_nothing_is_made(market: Market, changed: dict[str, object], code: str) -> None:
    await market.plan()
    await refusal(coupon(market, **changed), code)
    assert market.stripe.account.table("coupon").rows == []


# approval


async def asks(market: Market) -> str:
    await market.plan()
    await market.plan_terms.change(market.home.community_id, "Gold", Terms(approval=True), actor="den:1", cause=market.cause())
    code = await market.link()
    said = await refusal(market.checkouts.start(code, ANN, cause=market.cause()), "asked_first")
    assert "you are told as soon as it is answered" in said
    return code


async def test_whoever_is_accepted_may_pay_and_nobody_before(market: Market) -> None:
    code = await asks(market)
    await refusal(market.checkouts.start(code, ANN, cause=market.cause()), "asked_first")
    (one,) = await market.applications.listing(market.home.community_id)
    assert (one.name, one.plan) == ("Ann", "Gold")
    assert market.stripe.account.table("checkout.session").rows == []
    await market.applications.decide(market.home.community_id, one.id, accept=True, actor="den:1", cause=market.cause())
    await market.buy(code, ANN)
    assert await market.applications.listing(market.home.community_id) == []


async def test_whoever_is_declined_is_told_and_a_changed_mind_lets_them_pay(market: Market) -> None:
    code = await asks(market)
    (one,) = await market.applications.listing(market.home.community_id)
    await market.applications.decide(market.home.community_id, one.id, accept=False, actor="den:1", cause=market.cause())
    assert "Ask its owner" in await refusal(market.checkouts.start(code, ANN, cause=market.cause()), "not_accepted")
    await market.applications.decide(market.home.community_id, one.id, accept=True, actor="den:1", cause=market.cause())
    await market.buy(code, ANN)
    async with market.db.reading() as session:
        rows = (await session.exec(select(OutboxRow))).all()
    kinds = [row.payload.get("kind") for row in rows]
    assert [kind for kind in kinds if kind in {"application", "declined", "accepted"}] == ["application", "declined", "accepted"]


async def test_another_community_s_creator_decides_nothing(market: Market) -> None:
    await asks(market)
    (one,) = await market.applications.listing(market.home.community_id)
    deciding = market.applications.decide("another", one.id, accept=True, actor="den:1", cause=market.cause())  # type: ignore[arg-type]
    await refusal(deciding, "application_unknown")
