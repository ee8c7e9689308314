"""Why somebody has what they have; and the record is the whole truth: replayed, it says what the rows say."""

import asyncio
import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from core.causality import Change, Origin, chains, new_cause, origin_of, replay
from core.ids import CauseId, Ids, MemberId, PlatformUserId
from core.people import Identity
from membership.why import Whys
from sandbox.clock import VirtualClock
from storage import history
from storage.audit import Trail
from storage.database import Database
from storage.engine import create_engines
from storage.grants import GrantStatus
from storage.retrying import knock_again, revive, unblock_space
from storage.spaces import SpaceRow
from storage.vault import Vault
from tests.membership.house import ABOVE, CAUSE, House
from tests.membership.test_ownership import IDLE, Life, Story, imagine
from tests.membership.town import PLATFORM


@pytest.fixture
async def house(database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(database, clock, ids)
    await house.build()
    return house


async def told(house: House, who: MemberId) -> list[str]:
    story = await Whys(db=house.db, adapters={PLATFORM: house.adapter}).of_account(
        house.id, Identity(PLATFORM, "", PlatformUserId(who), who)
    )
    assert all(doubt.startswith("Access to ") for doubt in story.doubts), "the house writes entitlements without a word in the record"
    return [step.text for episode in story.episodes for step in episode.steps]


async def differing(house: House, who: MemberId) -> set[tuple[str, str]]:
    """Return which grants the record and the rows tell differently."""
    async with house.db.reading() as session:
        live = await history.live(session, house.id, who)
        said = replay(await history.of_member(session, house.id, who))
    return {subject for subject, state in live.items() if subject[0] == "grant" and said.get(subject) != state}


def test_a_cause_of_our_own_says_where_it_comes_from_and_one_from_outside_does_not(ids: Ids) -> None:
    assert {origin_of(new_cause(ids, origin)) for origin in Origin} == set(Origin)
    assert origin_of(CauseId(ids.new())) is None


def test_what_followed_from_a_cause_stays_together_and_each_change_adds_to_the_last(clock: VirtualClock) -> None:
    def change(cause: str, **after: object) -> Change:
        return Change(clock.now(), CauseId(cause), "grant.x", ("grant", "g"), {}, after)

    changes = [change("a", wanted=True, actual="unknown"), change("b", wanted=False), change("a", actual="granted")]
    assert [(chain.cause, len(chain.changes)) for chain in chains(changes)] == [("a", 2), ("b", 1)]
    assert replay(changes) == {("grant", "g"): {"wanted": False, "actual": "granted"}}


async def test_a_gift_and_its_end_are_told_with_what_the_platform_answered(house: House) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    house.adapter.refused[who, "member"] = ABOVE
    await house.end(who, source)
    await house.drain()
    assert await told(house, who) == [
        f"@{who} is to have member in Town.",
        f"Memory: member was given to @{who}.",
        f"@{who} is to have member in Town no longer.",
        f"Memory refused member for @{who}: “member” stands above the bot. Put the bot above it.",
        f"The owner was asked to take member from @{who}: “member” stands above the bot. Put the bot above it.",
    ]  # fmt: skip


@pytest.mark.parametrize("how", ["connected again", "signed in", "started again"])
async def test_whatever_is_tried_again_is_in_the_record(house: House, how: str) -> None:
    who = await house.settler()
    await house.leaves(who, told=False)
    await house.sell(who, house.silver)
    await house.drain()
    trail = Trail(house.ids, house.clock.now(), CAUSE)
    async with house.db.transaction() as session:
        match how:
            case "connected again":
                await unblock_space(session, await session.get_one(SpaceRow, house.space), trail)
            case "signed in":
                await knock_again(session, Identity(PLATFORM, "", PlatformUserId(who), who), trail)
            case _:
                (row,) = await house.rows()
                row = await session.merge(row)
                row.status = GrantStatus.DEAD
                await session.flush()
                await revive(session, trail)
    assert not await differing(house, who)
    assert (await told(house, who))[-1].startswith(f"member for @{who} is tried again: ")


async def test_a_record_that_misses_something_is_noticed(house: House) -> None:
    who = await house.settler()
    await house.sell(who, house.silver)
    async with house.db.transaction() as session:
        (row,) = await house.rows()
        (await session.merge(row)).wanted = False
    assert await differing(house, who)


async def play(folder: Path, template: Path, chance: random.Random) -> Story:
    """Play a story, and compare what the record says with the rows whenever the program has worked."""
    story, path = imagine(chance), folder / "record.db"
    shutil.copyfile(template, path)
    db = Database(create_engines(f"sqlite:///{path}", Vault(["k" * 32])))
    try:
        life = Life(db, carrying=False)
        await life.house.build()
        life.people = await life.house.settlers(2)
        for step, then in story:
            life.clock.advance(timedelta(minutes=1))
            await life.take(step)
            if then != IDLE:
                await life.drain(then)
            for who in life.people:
                assert not await differing(life.house, who), f"after {step}, {then}"
    finally:
        await db.close()
    return story


def searching(examples: int) -> Callable[..., None]:
    """Return a test that plays ``examples`` stories made from seeds."""

    @settings(max_examples=examples, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @given(seed=st.integers(0, 2**32))
    def search(folder_in_memory: Path, sqlite_template: Path, seed: int) -> None:
        note(f"seed {seed}")
        asyncio.run(play(folder_in_memory, sqlite_template, random.Random(seed)))  # noqa: S311 - replayable

    return search


test_replayed_the_record_says_what_the_rows_say = searching(12)
test_replayed_the_record_says_what_the_rows_say_whatever_happens = pytest.mark.long(searching(80))
