from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from billing.plan import parse_interval
from core.errors import Refusal, TransientError
from core.ids import Ids, PlatformUserId
from core.money import Money
from core.payments import Interval, IntervalUnit
from core.people import GUEST, Identity
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, FaultKind
from storage import accounts
from storage.audit import AuditRow
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.invites import InviteRow
from storage.ledger import LedgerRow
from storage.orders import OrderRow, OrderStatus
from storage.outbox import OutboxRow
from storage.plans import PlanStatus
from storage.stripe_accounts import ENVIRONMENT
from storage.tips import TipRow, TipStatus
from tests.billing.market import ANN, BEN, CLEO, DEN, Market, open_market, role


@pytest.fixture
async def market(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Market]:
    async with open_market(sqlite_database, clock, ids) as opened:
        yield opened


async def refusal(doing: object, code: str) -> str:
    with pytest.raises(Refusal) as refused:
        await doing  # type: ignore[misc]
    assert refused.value.code == code
    return refused.value.message


# plans


@pytest.mark.parametrize(
    ("typed", "interval"),
    [
        ("month", Interval(IntervalUnit.MONTH)),
        (" Yearly ", Interval(IntervalUnit.YEAR)),
        ("week", Interval(IntervalUnit.WEEK)),
        ("30 days", Interval(IntervalUnit.DAYS, 30)),
        ("1 day", Interval(IntervalUnit.DAYS, 1)),
        ("90d", Interval(IntervalUnit.DAYS, 90)),
        ("lifetime", Interval(IntervalUnit.ONCE)),
    ],
)
def test_an_interval_is_read_as_people_write_it(typed: str, interval: Interval) -> None:
    assert parse_interval(typed) == interval


@pytest.mark.parametrize("typed", ["", "fortnight", "0 days", "99999 days", "-3 days", "2 months"])
def test_an_interval_nobody_knows_is_refused_with_those_there_are(typed: str) -> None:
    with pytest.raises(Refusal, match="week, month, year, once") as refused:
        parse_interval(typed)
    assert refused.value.code == "bad_interval"


async def test_a_plan_is_a_product_and_a_price_at_the_processor(market: Market) -> None:
    plan = await market.plan()
    (product,), (price,) = market.stripe.account.table("product").rows, market.stripe.account.table("price").rows
    assert (product["name"], product["active"]) == ("Gold", True)
    assert (price["unit_amount"], price["currency"], price["recurring"]["interval"]) == (999, "usd", "month")
    assert (plan.sellable, plan.price, [resource.name for resource in plan.resources]) == (True, Money(999, "USD"), ["Gold"])


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"name": "   "}, "bad_name", "Choose a shorter one"),
        ({"name": "x" * 61}, "bad_name", "Choose a shorter one"),
        ({"name": "line\nbreak\x00"}, "bad_name", "letters"),
        ({"description": "x" * 301}, "bad_description", "300"),
        ({"price": Money(10, "USD")}, "amount_too_small", "0.50 USD"),
        ({"price": Money(10**9, "USD")}, "amount_too_large", "Make it 999,999.99 USD or less"),
        ({"trial_days": 400}, "bad_trial", "365"),
        ({"trial_days": 7, "interval": Interval(IntervalUnit.DAYS, 30)}, "bad_trial", "leave trial_days out"),
        ({"resources": ()}, "no_resources", "Choose a role"),
    ],
)
async def test_a_plan_that_cannot_be_sold_is_refused_and_nothing_is_made(
    market: Market, changed: dict[str, object], code: str, says: str
) -> None:
    assert says in await refusal(market.plan(**changed), code)
    assert market.stripe.account.table("product").rows == []
    assert await market.plans.listing(market.home.community_id) == []


async def test_a_name_on_sale_is_not_taken_twice_whatever_its_letters(market: Market) -> None:
    await market.plan()
    assert "archive it first" in await refusal(market.plan(name="  GOLD "), "name_taken")
    await market.plans.archive(market.home.community_id, "gold", actor="den:1", cause=market.cause())
    assert (await market.plan()).sellable


async def test_a_plan_half_made_when_the_processor_failed_is_finished_by_asking_again(market: Market) -> None:
    market.stripe.wire.faults.add(Fault("stripe", FaultKind.SERVER_ERROR, "POST /v1/prices", times=9))
    with pytest.raises(TransientError):
        await market.plan()
    (half,) = await market.plans.listing(market.home.community_id)
    assert (half.status, half.sellable) == (PlanStatus.CREATING, False)
    assert "Run /doorman plan create with the same name once more" in await refusal(market.link(), "plan_broken")
    market.stripe.wire.faults.rules.clear()
    assert (await market.plan()).sellable
    assert len(market.stripe.account.table("product").rows) == 1


async def test_an_archived_plan_is_sold_no_more_and_its_link_says_so(market: Market) -> None:
    await market.plan()
    code = await market.link()
    await market.plans.archive(market.home.community_id, "Gold", actor="den:1", cause=market.cause())
    assert "no longer sold" in await refusal(market.invites.look(code), "plan_archived")
    await refusal(market.checkouts.start(code, BEN, cause=market.cause()), "plan_archived")
    assert market.stripe.account.table("product").rows[0]["active"] is False


async def test_roles_are_added_and_taken_from_a_plan_but_never_the_last(market: Market) -> None:
    await market.plan()
    community, space, terms = market.home.community_id, market.home.space_id, {"actor": "den:1", "cause": market.cause()}
    plan = await market.plans.add_resource(community, "Gold", space, role("Lounge"), **terms)  # type: ignore[arg-type]
    assert [resource.name for resource in plan.resources] == ["Gold", "Lounge"]
    add, remove = market.plans.add_resource, market.plans.remove_resource
    assert "/doorman plan list" in await refusal(add(community, "Gold", space, role("Lounge"), **terms), "already_open")  # type: ignore[arg-type]
    assert "/doorman plan list" in await refusal(remove(community, "Gold", space, role("Attic"), **terms), "not_open")  # type: ignore[arg-type]
    await remove(community, "Gold", space, role("Gold"), **terms)  # type: ignore[arg-type]
    assert "archive the plan" in await refusal(remove(community, "Gold", space, role("Lounge"), **terms), "last_resource")  # type: ignore[arg-type]
    assert "/doorman plan list" in await refusal(add(community, "Silver", space, role("X"), **terms), "plan_unknown")  # type: ignore[arg-type]


# links


@pytest.mark.parametrize(
    ("terms", "code", "says"),
    [
        ({"max_uses": 0}, "bad_uses", "Leave uses out for no limit"),
        ({"max_uses": 100_001}, "bad_uses", "1 to 100,000 times"),
        ({"lifetime": timedelta(0)}, "bad_lifetime", "Leave expires out"),
        ({"lifetime": timedelta(days=4000)}, "bad_lifetime", "Leave expires out"),
        ({"tag": "x" * 41}, "bad_tag", "Use 40 letters or fewer"),
    ],
)
async def test_a_link_that_makes_no_sense_is_refused(market: Market, terms: dict[str, object], code: str, says: str) -> None:
    await market.plan()
    assert says in await refusal(market.link(**terms), code)  # type: ignore[arg-type]


async def test_the_same_command_run_again_finds_the_same_link(market: Market) -> None:
    await market.plan()
    cause = market.cause()
    made = [await market.invites.create(market.home.community_id, "Gold", actor="den:1", cause=cause) for _ in range(2)]
    assert made[0] == made[1]


async def test_links_are_unknown_expired_withdrawn_and_used_up_each_in_its_own_words(market: Market) -> None:
    await market.plan()
    assert "ask for a new one" in await refusal(market.invites.look("nonsense"), "invite_unknown")
    assert "ask for a new one" in await refusal(market.checkouts.start("nonsense", BEN, cause=market.cause()), "invite_unknown")
    expiring, withdrawn, single = await market.link(lifetime=timedelta(days=1)), await market.link(), await market.link(max_uses=1)
    await market.invites.revoke(market.home.community_id, f"http://x/j/{withdrawn}", actor="den:1", cause=market.cause())
    await refusal(market.checkouts.start(withdrawn, BEN, cause=market.cause()), "invite_revoked")
    await market.buy(single, BEN)
    await refusal(market.checkouts.start(single, CLEO, cause=market.cause()), "invite_used_up")
    market.clock.advance(timedelta(days=1))
    await refusal(market.checkouts.start(expiring, CLEO, cause=market.cause()), "invite_expired")


async def test_the_last_place_of_a_link_is_not_sold_twice_at_the_same_time(market: Market) -> None:
    await market.plan()
    code = await market.link(max_uses=1)
    await market.checkouts.start(code, BEN, cause=market.cause())
    assert "Try again in an hour" in await refusal(market.checkouts.start(code, CLEO, cause=market.cause()), "invite_used_up")


async def test_an_account_of_another_place_is_charged_nothing(market: Market) -> None:
    await market.plan()
    stranger = replace(BEN, realm="another")
    said = await refusal(market.checkouts.start(await market.link(), stranger, cause=market.cause()), "account_elsewhere")
    assert "Nothing was charged" in said


async def test_a_guest_buys_without_an_account_anywhere(market: Market) -> None:
    await market.plan()
    guest = Identity(GUEST, "", PlatformUserId("a browser"), "Guest")
    started = await market.checkouts.start(await market.link(), guest, cause=market.cause())
    assert (await market.checkouts.start(await market.link(), guest, cause=market.cause())).order_id == started.order_id
    await market.cashiers.pay(started.url)


async def test_two_accounts_of_one_member_are_at_one_checkout_and_not_charged_twice(market: Market) -> None:
    await market.plan()
    code = await market.link()
    first = await market.checkouts.start(code, BEN, cause=market.cause())
    async with market.db.transaction() as session:
        ben = await accounts.find(session, market.home.community_id, BEN)
        assert ben is not None
        ben.active = False
        await session.flush()
        assert await accounts.add(session, market.home.community_id, ben.member_id, CLEO, market.ids, market.clock.now())
    second = await market.checkouts.start(code, CLEO, cause=market.cause())
    assert (second.order_id, second.reused) == (first.order_id, True)


async def test_a_link_for_one_person_sells_to_nobody_else(market: Market) -> None:
    await market.plan()
    code = await market.link(bound=BEN)
    assert "@Ben" in await refusal(market.checkouts.start(code, CLEO, cause=market.cause()), "invite_not_yours")
    assert (await market.checkouts.start(code, BEN, cause=market.cause())).url


async def test_a_community_cannot_withdraw_the_link_of_another(market: Market) -> None:
    await market.plan()
    code = await market.link()
    other = type(DEN)(DEN.platform, "", "200")
    await market.communities.space_added(other, "Elsewhere", ANN.user, cause=market.cause())
    elsewhere = (await market.communities.of_space(other)).community_id
    said = await refusal(market.invites.revoke(elsewhere, code, actor="den:1", cause=market.cause()), "invite_unknown")
    assert "/doorman link list" in said
    assert await market.invites.look(code)


# checkouts


async def test_a_second_click_finds_the_open_checkout(market: Market) -> None:
    await market.plan()
    code = await market.link()
    first, second = [await market.checkouts.start(code, BEN, cause=market.cause()) for _ in range(2)]
    assert (second.url, second.order_id, first.reused, second.reused) == (first.url, first.order_id, False, True)
    assert len(market.stripe.account.table("checkout.session").rows) == 1


async def test_an_answer_lost_on_the_way_opens_the_same_checkout_when_asked_again(market: Market) -> None:
    await market.plan()
    code = await market.link()
    market.stripe.wire.faults.add(Fault("stripe", FaultKind.TIMEOUT_AFTER, "POST /v1/checkout/sessions", times=9))
    with pytest.raises(TransientError):
        await market.checkouts.start(code, BEN, cause=market.cause())
    market.stripe.wire.faults.rules.clear()
    assert (await market.checkouts.start(code, BEN, cause=market.cause())).url
    assert len(market.stripe.account.table("checkout.session").rows) == 1


async def test_a_member_is_never_sold_the_same_plan_twice(market: Market) -> None:
    await market.plan()
    await market.buy(await market.link(), BEN)
    assert "Nothing was charged" in await refusal(market.checkouts.start(await market.link(), BEN, cause=market.cause()), "already_member")


async def test_who_has_just_paid_is_sent_to_the_welcome_page_by_a_second_click(market: Market) -> None:
    await market.plan()
    code = await market.link()
    started = await market.checkouts.start(code, BEN, cause=market.cause())
    await market.cashiers.pay(started.url)
    again = await market.checkouts.start(code, BEN, cause=market.cause())
    assert again.url.endswith(f"/welcome/{started.order_id}")


async def test_money_that_is_on_its_way_is_not_asked_for_again(market: Market) -> None:
    await market.plan(interval=parse_interval("once"))
    code = await market.link()
    await market.buy(code, BEN, bank_account="000123456789")
    async with market.db.reading() as session:
        assert (await session.exec(select(OrderRow.status))).all() == [OrderStatus.PENDING]
    await refusal(market.checkouts.start(code, BEN, cause=market.cause()), "payment_pending")


async def test_a_checkout_that_ran_out_makes_room_for_another(market: Market) -> None:
    await market.plan()
    code = await market.link()
    first = await market.checkouts.start(code, BEN, cause=market.cause())
    market.clock.advance(timedelta(hours=2))
    second = await market.checkouts.start(code, BEN, cause=market.cause())
    assert second.order_id != first.order_id
    assert second.url != first.url


async def test_a_trial_is_for_those_who_never_subscribed_here(market: Market) -> None:
    await market.plan(trial_days=7)
    await market.plan(name="Silver", trial_days=7, resources=(role("Silver"),))
    await market.buy(await market.link("Gold"), BEN)
    await market.buy(await market.link("Silver"), BEN)
    trials = [row["trial_end"] is not None for row in market.stripe.account.table("subscription").rows]
    assert trials == [True, False]


async def test_a_pass_bought_twice_lasts_twice_as_long(market: Market) -> None:
    await market.plan(interval=parse_interval("30 days"))
    code, start = await market.link(), market.clock.now()
    await market.buy(code, BEN)
    await market.buy(code, BEN)
    async with market.db.reading() as session:
        rows = (await session.exec(select(EntitlementRow))).all()
    assert sorted(row.expires_at for row in rows if row.expires_at) == [start + timedelta(days=30), start + timedelta(days=60)]
    assert {row.source_kind for row in rows} == {SourceKind.PASS}


async def test_settling_an_order_again_counts_and_books_nothing_twice(market: Market) -> None:
    await market.plan(interval=parse_interval("once"))
    code = await market.link()
    order = await market.buy(code, BEN)
    for _ in range(3):
        await market.settle(order)
    async with market.db.reading() as session:
        assert (await session.exec(select(InviteRow.uses))).all() == [1]
        assert len((await session.exec(select(EntitlementRow))).all()) == 1
        books = [(row.debit, row.credit, row.amount) for row in (await session.exec(select(LedgerRow))).all()]
    assert sorted(books) == [("fees", "processor", 59), ("processor", "sales", 999)]


async def test_a_full_refund_of_a_lifetime_ends_it_and_a_partial_one_does_not(market: Market) -> None:
    await market.plan(interval=parse_interval("once"))
    await market.buy(await market.link(), BEN)
    (charge,) = market.stripe.account.table("charge").rows
    for amount, state in ((400, EntitlementState.ACTIVE), (599, EntitlementState.ENDED)):
        await market.cashiers.refund(charge["payment_intent"], amount)
        await market.payments.look(ENVIRONMENT, charge.id, cause=market.cause())
        async with market.db.reading() as session:
            assert (await session.exec(select(EntitlementRow.state))).all() == [state]
    async with market.db.reading() as session:
        refunds = [row.amount for row in (await session.exec(select(LedgerRow))).all() if row.debit == "refunds"]
    assert sorted(refunds) == [400, 599]


async def test_the_portal_is_for_those_who_paid(market: Market) -> None:
    await market.plan()
    await refusal(market.checkouts.portal(market.home.community_id, BEN, "http://x"), "no_customer")
    await market.buy(await market.link(), BEN)
    assert await market.checkouts.portal(market.home.community_id, BEN, "http://x")


# tips


@pytest.mark.parametrize(
    ("amount", "message", "code", "says"),
    [
        (Money(1, "USD"), "", "amount_too_small", "Make it 0.50 USD or more"),
        (Money(6_000_000, "USD"), "", "amount_too_large", "Make it 50,000.00 USD or less"),
        (Money(500, "USD"), "x" * 301, "message_too_long", "Say it in 300 letters or fewer"),
    ],
)
async def test_a_tip_that_cannot_be_is_refused(market: Market, amount: Money, message: str, code: str, says: str) -> None:
    tip = market.tips.start(market.home.community_id, market.home.space_id, BEN, amount, message, anonymous=False, cause=market.cause())
    assert says in await refusal(tip, code)


async def test_ten_tips_an_hour_are_enough(market: Market) -> None:
    async def tip() -> None:
        await market.tips.start(
            market.home.community_id, market.home.space_id, BEN, Money(500, "USD"), "", anonymous=False, cause=market.cause()
        )

    for _ in range(10):
        await tip()
    assert "wait a little before the next one" in await refusal(tip(), "too_many_tips")
    market.clock.advance(timedelta(hours=1, seconds=1))
    await tip()


async def test_a_tip_is_booked_and_thanked_for_once(market: Market) -> None:
    cause = market.cause()
    start = market.tips.start
    terms = (market.home.community_id, market.home.space_id, BEN, Money(500, "USD"), "for the soup")
    first, second = [await start(*terms, anonymous=False, cause=cause) for _ in range(2)]
    assert first == second
    async with market.db.reading() as session:
        (opened,) = (await session.exec(select(AuditRow).where(AuditRow.action == "tip.opened"))).all()
    assert (opened.subject_id, opened.cause_id, opened.actor) == (first.tip_id, cause, BEN.actor)
    assert opened.after == {"amount": "5.00 USD"}
    await market.cashiers.pay(first.url)
    gateway = await market.gateways.of(ENVIRONMENT)
    (session_row,) = market.stripe.account.table("checkout.session").rows
    for _ in range(2):
        await market.tips.settle(ENVIRONMENT, await gateway.checkout(session_row.id), cause=market.cause())
    assert (await market.tips.look(first.tip_id)).state == TipStatus.PAID
    async with market.db.reading() as session:
        assert len((await session.exec(select(TipRow))).all()) == 1
        books = [(row.debit, row.credit, row.amount) for row in (await session.exec(select(LedgerRow))).all()]
        thanks = [
            row.payload["facts"]["message"] for row in (await session.exec(select(OutboxRow))).all() if row.payload.get("kind") == "tip"
        ]
    assert sorted(books) == [("fees", "processor", 45), ("processor", "tips", 500)]
    assert thanks == ["for the soup"]
    await refusal(market.tips.look("nonsense"), "tip_unknown")
