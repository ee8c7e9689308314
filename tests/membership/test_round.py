"""A whole look at a community: who pays without access, who has it without paying, and nothing changed that need not be."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import PermissionMissing, RateLimited, TransientError
from core.ids import Ids, MemberId, PlatformUserId, RandomIds
from core.money import Money
from core.payments import Interval, IntervalUnit
from core.platform import Resource, Space
from core.worth import monthly, total
from membership.reckoning import mended, named, people, worth
from membership.round import DueRounds, RoundReport, Rounds
from sandbox.clock import VirtualClock
from sandbox.memory import MemoryWorld
from storage import rounds as rows
from storage.database import Database
from storage.engine import create_engines
from storage.grants import Actual
from storage.outbox import OutboxKind
from storage.vault import Vault
from tests.membership.house import ABOVE, House, PowerCut, Watched
from tests.membership.town import PLATFORM, everything

LATER = timedelta(days=30)


class Limited(Watched):
    """A platform that answers ``at_once`` questions a second of its clock and counts those that came too fast; it may list nobody."""

    def __init__(self, world: MemoryWorld, clock: VirtualClock, *, lists: bool, at_once: int = 0) -> None:
        super().__init__(world, clock)
        self.clock, self.lists, self.at_once = clock, lists, at_once
        self.asked: list[str] = []
        self.refusals = 0
        self.stop_after = 0
        self._left, self._since = at_once, clock.now()

    async def holders(self, resource: Resource) -> AsyncIterator[PlatformUserId]:
        if not self.lists:
            raise PermissionMissing("Listing members needs an intent that is off.", code="no_intent")
        async for user in super().holders(resource):
            yield user

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        if self.stop_after and len(self.asked) >= self.stop_after:
            raise PowerCut
        if self.at_once:
            self._spend()
        self.asked.append(user)
        return await super().holds(space, user)

    def _spend(self) -> None:
        if self.clock.now() >= self._since + timedelta(seconds=1):
            self._left, self._since = self.at_once, self.clock.now()
        if not self._left:
            self.refusals += 1
            raise RateLimited("slower", retry_after=1)
        self._left -= 1


class Moving(VirtualClock):
    """A clock on which whoever sleeps is the one who moves it: nobody waits in real time."""

    async def sleep_until(self, moment: datetime) -> None:
        await asyncio.sleep(0)
        if moment > self.now():
            self.advance_to(moment)


async def settle(db: Database, ids: Ids, *, lists: bool, at_once: int = 0, people: int = 0) -> tuple[House, Limited, list[MemberId]]:
    clock = Moving()
    adapter = Limited(MemoryWorld(), clock, lists=lists, at_once=at_once)
    house = House(db, clock, ids, adapter)
    await house.build()
    who = await house.settlers(people)
    await house.subscribe(who, clock.now() + LATER, house.silver)
    await house.grant(who)
    for one in who:
        house.gives(one, "member")
    return house, adapter, who


def maker(house: House) -> Rounds:
    return Rounds(db=house.db, clock=house.clock, ids=house.ids, adapters={PLATFORM: house.adapter})


async def went_round(house: House, *, dry_run: bool = False) -> RoundReport:
    return await maker(house).run(house.id, dry_run=dry_run)


# What something is worth a month


@pytest.mark.parametrize(
    ("interval", "says"),
    [
        (Interval(IntervalUnit.MONTH), "12.00 USD"), (Interval(IntervalUnit.YEAR), "1.00 USD"), (Interval(IntervalUnit.WEEK), "52.00 USD"),
        (Interval(IntervalUnit.DAYS, 365), "1.00 USD"), (Interval(IntervalUnit.ONCE), "0.00 USD"),
    ],
)  # fmt: skip
def test_what_is_paid_by_any_measure_is_worth_something_a_month(interval: Interval, says: str) -> None:
    assert str(monthly(Money(1200, "USD"), interval)) == says


def test_sums_are_said_by_currency() -> None:
    assert total({"USD": 5700, "EUR": 900, "JPY": 0}) == "9.00 EUR and 57.00 USD"
    assert total({}) == "nothing"


# What a round finds


@pytest.mark.parametrize("lists", [True, False])
async def test_where_all_is_well_a_round_changes_nothing_and_a_listing_saves_the_questions(
    sqlite_database: Database, ids: Ids, *, lists: bool
) -> None:
    house, adapter, who = await settle(sqlite_database, ids, lists=lists, people=5)
    report = await went_round(house)
    assert (report.looked, report.found) == (5, {"as it should be": 5})
    assert report.reckoning.well
    assert sorted(adapter.asked) == ([] if lists else sorted(who))
    assert not adapter.changes
    assert not await house.outbox(OutboxKind.NOTICE)


@pytest.mark.parametrize("lists", [True, False])
async def test_who_pays_and_is_outside_is_named_with_its_worth_and_let_in(sqlite_database: Database, ids: Ids, *, lists: bool) -> None:
    house, adapter, (lost, gone, _) = await settle(sqlite_database, ids, lists=lists, people=3)
    house.place.members[PlatformUserId(lost)].clear()
    await house.leaves(gone, told=False)
    report = await went_round(house)
    assert report.found == {"as it should be": 1, "taken or rejoined": 1, "not inside": 1}
    assert (people(report.reckoning.outside), worth(report.reckoning.outside)) == (2, "19.98 USD")
    assert named(report.reckoning.outside) == [f"@{lost}: member (on its way)", f"@{gone}: member (not in the space)"]
    assert mended(report.found) == ["1 given again"]
    await house.drain()
    assert house.held(lost) == {"member"}
    await house.tell_everyone()
    (told,) = house.mail()
    assert "Done about it: 1 given again." in told
    assert "Paying without access: 2, worth 19.98 USD a month." in told
    before = len(adapter.changes)
    again = await went_round(house)
    await house.drain()
    assert len(adapter.changes) == before, "a second pass makes no changing call"
    assert people(again.reckoning.outside) == 1, "whoever is outside still is"


async def test_who_still_has_what_has_ended_is_named_too(sqlite_database: Database, ids: Ids) -> None:
    house, _, (who,) = await settle(sqlite_database, ids, lists=True, people=1)
    await house.settlers(1)
    source = await house.sell(who, house.gold)
    await house.drain()
    house.adapter.refused[who, "vip"] = ABOVE
    await house.end(who, source)
    await house.drain()
    report = await went_round(house)
    assert named(report.reckoning.unpaid) == [f"@{who}: vip (“member” stands above the bot. Put the bot above it)"]
    assert worth(report.reckoning.unpaid) == "9.99 USD"


async def test_somebody_who_paid_and_has_no_account_in_the_place_is_named(sqlite_database: Database, ids: Ids) -> None:
    house, _, (who,) = await settle(sqlite_database, ids, lists=True, people=1)
    await house.passes([who], None, house.gold)
    report = await went_round(house)
    assert [one.resource for one in report.reckoning.outside] == ["vip"]


async def test_an_empty_list_takes_nothing_from_anybody(sqlite_database: Database, ids: Ids, monkeypatch: pytest.MonkeyPatch) -> None:
    house, adapter, who = await settle(sqlite_database, ids, lists=True, people=30)

    async def nobody(_: Resource) -> AsyncIterator[PlatformUserId]:
        nobody_at_all: list[PlatformUserId] = []
        for user in nobody_at_all:
            yield user

    monkeypatch.setattr(adapter, "holders", nobody)
    report = await went_round(house)
    assert report.found == {"as it should be": 30}
    assert sorted(adapter.asked) == sorted(who)
    assert {row.actual for row in await house.rows()} == {Actual.GRANTED}


async def test_looking_without_touching_writes_nothing(sqlite_database: Database, ids: Ids) -> None:
    house, _, (lost, _) = await settle(sqlite_database, ids, lists=False, people=2)
    house.place.members[PlatformUserId(lost)].clear()
    before = await everything(house.db)
    report = await went_round(house, dry_run=True)
    assert report.found == {"as it should be": 1, "taken or rejoined": 1}
    assert await everything(house.db) == before


async def test_a_place_that_gives_no_answer_is_named_and_nothing_is_concluded(sqlite_database: Database, ids: Ids) -> None:
    house, adapter, _ = await settle(sqlite_database, ids, lists=False, people=3)
    adapter.down = TransientError("no network")
    report = await went_round(house)
    assert report.silent == ["Town"]
    assert report.reckoning.well


# Stopping and going on


def stopping(examples: int) -> Callable[..., None]:
    """Return a test that stops ``examples`` rounds."""

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), deadline=None)
    @given(data=st.data())
    def search(sqlite_template: Path, folder_in_memory: Path, data: st.DataObject) -> None:
        stops = data.draw(st.lists(st.integers(1, 29), max_size=2))
        asyncio.run(_stopped_and_resumed(sqlite_template, folder_in_memory, stops, random.Random(data.draw(st.integers(0, 9)))))  # noqa: S311

    return search


test_stopped_somewhere_a_round_goes_on_from_there = stopping(2)
test_wherever_a_round_is_stopped_it_goes_on_from_there = pytest.mark.long(stopping(20))


async def _stopped_and_resumed(template: Path, folder: Path, stops: list[int], chance: random.Random) -> None:
    shutil.copyfile(template, folder / "round.db")
    db = Database(create_engines(f"sqlite:///{folder}/round.db", Vault(["k" * 32])))
    try:
        house, adapter, who = await settle(db, RandomIds(), lists=False, people=130)
        lost = chance.sample(who, 5)
        for one in lost:
            house.place.members[PlatformUserId(one)].clear()
        for stop in stops:
            adapter.stop_after = len(adapter.asked) + stop
            with pytest.raises(BaseExceptionGroup):
                await went_round(house)
        adapter.stop_after = 0
        report = await went_round(house)
        assert report.looked >= 130 - len(lost), "what was found before a stop is being mended, and not looked at twice"
        assert set(adapter.asked) == set(who)
        assert len(adapter.asked) <= 130 + 100 * len(stops), "a stop costs a batch at the most"
        await house.drain()
        assert all(house.held(one) == {"member"} for one in who)
    finally:
        await db.close()


async def test_the_daily_round_is_made_once_a_day_and_one_that_was_cut_short_is_gone_on_with(sqlite_database: Database, ids: Ids) -> None:
    house, adapter, _ = await settle(sqlite_database, ids, lists=False, people=3)
    due = DueRounds(db=house.db, clock=house.clock, rounds=maker(house))
    for _ in range(2):
        await due.run()
    assert len(adapter.asked) == 3
    house.clock.advance(timedelta(days=1))
    adapter.stop_after = 4
    with pytest.raises(BaseExceptionGroup):
        await due.run()
    async with house.db.reading() as session:
        assert await rows.under_way(session, house.id) is not None
    adapter.stop_after = 0
    await due.run()
    async with house.db.reading() as session:
        assert await rows.under_way(session, house.id) is None
        assert await rows.last_done(session, house.id) == house.clock.now()


async def _ten_thousand(db: Database, ids: Ids, *, lists: bool, people: int) -> tuple[Limited, RoundReport, timedelta, list[int]]:
    house, adapter, _ = await settle(db, ids, lists=lists, at_once=40, people=people)
    began, heard = house.clock.now(), list[int]()
    report = await maker(house).run(house.id, progress=lambda _place, looked, _all: heard.append(looked))
    return adapter, report, house.clock.now() - began, heard


@pytest.mark.parametrize(("lists", "people"), [(False, 200), (True, 400)])
async def test_a_large_place_is_gone_through_as_fast_as_it_may_be_asked_and_says_how_far_it_is(
    sqlite_database: Database, ids: Ids, *, lists: bool, people: int
) -> None:
    adapter, report, took, heard = await _ten_thousand(sqlite_database, ids, lists=lists, people=people)
    assert (report.looked, report.found, report.silent) == (people, {"as it should be": people}, [])
    assert heard == list(range(100, people + 1, 100))
    assert len(adapter.asked) == (0 if lists else people)
    assert took <= timedelta(seconds=0 if lists else people / 40 + 1)
    assert adapter.refusals <= people / 40 * 4, "told to wait, it waits"


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("lists", "people"), [(False, 3_000), (True, 10_000)])
async def test_thousands_are_gone_through_within_the_limits(sqlite_database: Database, ids: Ids, *, lists: bool, people: int) -> None:
    adapter, report, took, _ = await _ten_thousand(sqlite_database, ids, lists=lists, people=people)
    assert (report.looked, report.silent) == (people, [])
    assert len(adapter.asked) == (0 if lists else people)
    assert took <= timedelta(seconds=people / 40 + 10)
