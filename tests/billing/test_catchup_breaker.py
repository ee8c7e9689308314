"""Answers from outside: what they may end, and what waits for a person."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from billing.catchup import CatchUp
from core.errors import ExternalError, KeyRefused, PermanentError, RateLimited, TransientError
from core.events import Notice, NoticeKind
from core.ids import CauseId, Ids, MemberId
from membership.community import Communities
from membership.sweep import Sweeper
from sandbox.clock import VirtualClock
from storage.communities import CommunityRow
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState
from storage.outbox import OutboxKind, OutboxRow
from tests.billing.processor import Processor
from tests.membership.town import Town, everything

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
Sell = Callable[..., Awaitable[list[str]]]


@pytest.fixture
def sweeper(database: Database, clock: VirtualClock, ids: Ids, catch_up: CatchUp) -> Sweeper:
    """As the program wires it: the sweep asks through catch-up."""
    return Sweeper(db=database, clock=clock, ids=ids, refetch=catch_up.refetch)


@pytest.fixture
def sell(town: Town, processor: Processor, clock: VirtualClock) -> Sell:
    """Sell ``number`` subscriptions that are past the end we know; ``over`` of them are so at the processor too."""

    async def sell(number: int, over: int, **changes: Any) -> list[str]:  # noqa: ANN401
        people = await town.members(number)
        sold = await town.subscribe(people, clock.now(), **changes)
        await town.grant(people)
        for position, name in enumerate(sold):
            processor.says(name, "canceled" if position < over else "active", clock.now() + (-DAY if position < over else DAY))
        return sold

    return sell


async def active(db: Database) -> set[MemberId]:
    async with db.reading() as session:
        query = select(EntitlementRow.member_id).where(col(EntitlementRow.state) == EntitlementState.ACTIVE)
        return {MemberId(who) for who in await session.exec(query)}


async def notices(db: Database, kind: NoticeKind) -> list[Notice]:
    async with db.reading() as session:
        rows = (await session.exec(select(OutboxRow).where(col(OutboxRow.kind) == OutboxKind.NOTICE))).all()
    return [notice for notice in (Notice.from_payload(row.payload) for row in rows) if notice.kind is kind]


async def community(town: Town) -> CommunityRow:
    async with town.db.reading() as session:
        return await session.get_one(CommunityRow, town.id)


async def test_a_late_renewal_stays_and_a_lost_cancel_ends(town: Town, sweeper: Sweeper, sell: Sell) -> None:
    await sell(3, over=1)
    report = await sweeper.run()
    assert len(await active(town.db)) == 2
    assert report.counts["subscriptions changed", town.id] == 1
    [notice] = await notices(town.db, NoticeKind.ENDED)
    assert notice.facts["plan"] == town.gold
    assert (await sweeper.run()).counts == Counter()


async def test_a_failed_payment_ends_with_its_grace_and_not_before(
    town: Town, sweeper: Sweeper, processor: Processor, clock: VirtualClock
) -> None:
    since = clock.now() - 7 * DAY + SECOND
    who = await town.member()
    [name] = await town.subscribe([who], clock.now(), status="past_due", past_due_since=since, fetched_at=since)
    processor.says(name, "past_due", clock.now() - 8 * DAY)
    await sweeper.run()
    assert await active(town.db) == {who}
    clock.advance(SECOND)
    await sweeper.run()
    assert await active(town.db) == set()
    assert (await notices(town.db, NoticeKind.ENDED))[0].facts["why"] == "payment"


@pytest.mark.parametrize(
    "trouble",
    [
        TransientError("no network"),
        RateLimited("slower", retry_after=1),
        KeyRefused("the key is refused", code="authentication"),
        PermanentError("never heard of it", code="resource_missing"),
    ],
)
async def test_no_error_ends_anything(
    town: Town, sweeper: Sweeper, catch_up: CatchUp, processor: Processor, sell: Sell, trouble: ExternalError
) -> None:
    for name in await sell(3, over=3):
        processor.silent[name] = trouble
    await sweeper.run()
    await catch_up.run()
    assert len(await active(town.db)) == 3
    processor.silent.clear()
    await sweeper.run()
    assert not await active(town.db)


async def test_a_refused_key_is_not_tried_for_each_member(sweeper: Sweeper, processor: Processor, sell: Sell) -> None:
    for name in await sell(50, over=50):
        processor.silent[name] = KeyRefused("the key is refused", code="authentication")
    await sweeper.run()
    assert len(processor.asked) <= 8


async def test_without_the_processors_time_nothing_ends_but_renewals_count(
    town: Town, sweeper: Sweeper, processor: Processor, sell: Sell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> timedelta:
        raise TransientError("no network")

    await sell(2, over=1)
    monkeypatch.setattr(processor, "skew", away)
    await sweeper.run()
    assert len(await active(town.db)) == 2
    assert (await sweeper.run()).counts["subscriptions asked", town.id] == 1


@pytest.mark.parametrize(("held", "over", "stops"), [(60, 20, False), (60, 21, True), (440, 22, False), (440, 23, True)])
async def test_more_than_twenty_and_one_in_twenty_wait_for_a_person(
    town: Town, sweeper: Sweeper, sell: Sell, clock: VirtualClock, held: int, over: int, *, stops: bool
) -> None:
    await sell(25, over=over)
    await town.grant(await town.members(held - 25))
    await sweeper.run()
    assert len(await active(town.db)) == (25 if stops else 25 - over)
    row = await community(town)
    assert row.stopped_at == (clock.now() if stops else None)
    assert row.stopped_reason.startswith(f"{over} of {held} memberships" if stops else "")
    assert [notice.facts["community"] for notice in await notices(town.db, NoticeKind.SWEEP_STOPPED)] == ([town.id] if stops else [])


async def test_what_was_renewed_is_written_even_while_the_rest_waits(
    town: Town, sweeper: Sweeper, sell: Sell, processor: Processor
) -> None:
    await sell(30, over=25)
    await sweeper.run()
    asked = len(processor.asked)
    assert asked == 30
    await sweeper.run()
    assert len(processor.asked) == asked, "a stopped community is not asked about again and again"
    assert len(await notices(town.db, NoticeKind.SWEEP_STOPPED)) == 1
    async with town.db.reading() as session:
        until = (await session.exec(select(EntitlementRow.expires_at))).all()
    assert len(set(until)) == 2


async def test_a_persons_word_lets_exactly_one_run_through(town: Town, sweeper: Sweeper, sell: Sell, clock: VirtualClock, ids: Ids) -> None:
    await sell(30, over=25)
    await sweeper.run()
    name = await Communities(db=town.db, clock=clock, ids=ids).confirm(town.id, actor="operator", cause=CauseId("word"))
    assert name == "Town"
    await sweeper.run()
    assert len(await active(town.db)) == 5
    row = await community(town)
    assert (row.stopped_at, row.stopped_reason, row.confirmed_at) == (None, "", None)

    clock.advance(SECOND)
    await sell(30, over=25)
    await sweeper.run()
    assert len(await active(town.db)) == 35
    assert (await community(town)).stopped_at == clock.now()
    assert len(await notices(town.db, NoticeKind.SWEEP_STOPPED)) == 2


async def test_a_word_is_not_used_up_by_a_run_without_answers(
    town: Town, sweeper: Sweeper, sell: Sell, processor: Processor, clock: VirtualClock, ids: Ids
) -> None:
    await sell(30, over=25)
    await sweeper.run()
    await Communities(db=town.db, clock=clock, ids=ids).confirm(town.id, actor="operator", cause=CauseId("word"))
    processor.broken = TransientError("no network")
    await sweeper.run()
    assert (await community(town)).confirmed_at is not None
    processor.broken = None
    await sweeper.run()
    assert len(await active(town.db)) == 5


async def test_ends_that_were_known_before_pass_whatever_their_number(
    town: Town, sweeper: Sweeper, sell: Sell, processor: Processor, clock: VirtualClock
) -> None:
    await sell(40, over=40, cancel_at=clock.now())
    processor.skewed = timedelta(hours=1)
    await town.passes(await town.members(40), clock.now())
    await sweeper.run()
    assert not await active(town.db)
    assert (await community(town)).stopped_at is None


async def test_a_cancel_that_was_not_yet_due_is_not_an_end_we_knew(town: Town, sweeper: Sweeper, sell: Sell, clock: VirtualClock) -> None:
    await sell(40, over=40, cancel_at=clock.now() + SECOND)
    await sweeper.run()
    assert len(await active(town.db)) == 40


async def test_a_clock_that_is_wrong_ends_nothing(town: Town, sweeper: Sweeper, sell: Sell, processor: Processor) -> None:
    processor.skewed = timedelta(seconds=61)
    await sell(3, over=1)
    await sweeper.run()
    assert len(await active(town.db)) == 3
    assert "61 seconds ahead" in (await community(town)).stopped_reason


async def test_what_another_reason_still_opens_is_not_counted(
    town: Town, sweeper: Sweeper, processor: Processor, clock: VirtualClock
) -> None:
    people = await town.members(30)
    await town.passes(people, clock.now() + DAY, town.silver)
    await town.grant(people, "member")
    for name in await town.subscribe(people, clock.now()):
        processor.says(name, "canceled", clock.now() - DAY)
    await sweeper.run()
    assert (await community(town)).stopped_at is None
    assert len(await active(town.db)) == 30  # by their passes


async def test_a_change_to_a_plan_that_opens_less_is_weighed_too(
    town: Town, sweeper: Sweeper, processor: Processor, clock: VirtualClock
) -> None:
    people = await town.members(30)
    await town.grant(people, "member")
    await town.grant(people, "vip")
    for name in await town.subscribe(people, clock.now()):
        processor.says(name, "active", clock.now() + DAY, price="price_town-silver")
    await sweeper.run()
    assert "30 of 60" in (await community(town)).stopped_reason


async def test_one_community_that_is_stopped_stops_no_other(
    town: Town, sweeper: Sweeper, sell: Sell, processor: Processor, clock: VirtualClock
) -> None:
    await sell(30, over=30)
    other = Town(town.db, clock.now(), "other")
    await other.build()
    people = await other.members(3)
    for name in await other.subscribe(people, clock.now()):
        processor.says(name, "canceled", clock.now() - DAY, price="price_other-gold")
    await sweeper.run()
    assert not set(people) & await active(town.db)
    assert len(await active(town.db)) == 30


async def test_a_dry_run_asks_and_writes_nothing(town: Town, sweeper: Sweeper, sell: Sell) -> None:
    await sell(30, over=25)
    before = await everything(town.db)
    report = await sweeper.run(dry_run=True)
    assert report.counts["subscriptions held back", town.id] == 25
    assert await everything(town.db) == before


async def test_a_dry_run_says_what_a_stop_holds_back_and_changes_nothing(town: Town, sweeper: Sweeper, sell: Sell) -> None:
    await sell(30, over=25)
    await sweeper.run()
    before = await everything(town.db)
    report = await sweeper.run(dry_run=True)
    assert report.counts == {("subscriptions asked", town.id): 30, ("subscriptions held back", town.id): 25}
    assert await everything(town.db) == before


async def test_a_stop_does_not_keep_a_cancel_we_knew_of_open(
    town: Town, sweeper: Sweeper, sell: Sell, processor: Processor, clock: VirtualClock
) -> None:
    await sell(30, over=30)
    [ends] = await sell(1, over=1, cancel_at=clock.now() + DAY)
    await sweeper.run()
    assert len(await active(town.db)) == 31
    clock.advance(DAY)
    processor.asked.clear()
    await sweeper.run()
    assert processor.asked == [ends]
    assert len(await active(town.db)) == 30
    assert (await community(town)).stopped_at is not None
    processor.asked.clear()
    await sweeper.run()
    assert not processor.asked
