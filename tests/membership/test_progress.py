"""How much is left and about how long it takes, out of rows and the pace they go at."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import TransientError
from core.ids import CommunityId, Ids
from membership.progress import Progresses, about, pace
from sandbox.clock import VirtualClock
from sandbox.memory import MemoryWorld
from storage.database import Database
from tests.membership.house import House, Watched

MINUTE = timedelta(minutes=1)
WITHOUT_END = 10**9


class Paced(Watched):
    """A platform that lets so many changes through and says to wait for the others."""

    room = WITHOUT_END

    async def revoke(self, *args: object, **options: object) -> None:
        await self._take()
        await super().revoke(*args, **options)  # type: ignore[arg-type]

    async def _take(self) -> None:
        if not self.room:
            raise TransientError("The platform is slow today.")
        self.room -= 1


@pytest.fixture
async def house(database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(database, clock, ids, Paced(MemoryWorld(), clock))
    await house.build()
    return house


@pytest.fixture
def progresses(house: House) -> Progresses:
    return Progresses(db=house.db, clock=house.clock)


async def leaving(house: House, number: int) -> None:
    """Let members pay, be let in, and end: nobody is taken out yet."""
    people = {who: await house.sell(who, house.silver) for who in await house.settlers(number)}
    await house.drain()
    house.clock.advance(timedelta(hours=1))
    for who, source in people.items():
        await house.end(who, source)


async def said(house: House, progresses: Progresses) -> list[str]:
    return [f"{one.space_name}: {one}" for one in await progresses.of(house.id)]


async def test_what_is_left_is_said_with_the_time_it_takes_at_the_pace_it_goes(house: House, progresses: Progresses) -> None:
    await leaving(house, 30)
    assert await said(house, progresses) == ["Town: 30 changes are left: 0 to give, 30 to take away. They begin in a moment."]
    assert isinstance(house.adapter, Paced)
    house.adapter.room = 12
    await house.drain()
    house.clock.advance(2 * MINUTE)
    (line,) = await said(house, progresses)
    assert line == ("Town: 18 changes are left: 0 to give, 18 to take away. At the present pace of 6 a minute that takes about 3 minutes.")
    house.adapter.room = WITHOUT_END
    await house.later(timedelta(hours=1))
    assert await said(house, progresses) == []


async def test_what_does_not_move_says_why_and_that_it_is_tried_again(house: House, progresses: Progresses) -> None:
    await leaving(house, 2)
    assert isinstance(house.adapter, Paced)
    house.adapter.room = 0
    await house.drain()
    house.clock.advance(6 * MINUTE)
    (line,) = await said(house, progresses)
    assert line.endswith(
        "None was done in the last 5 minutes, as the last answer was: TransientError: The platform is slow today. I keep trying."
    )


async def test_nobody_reads_how_another_community_stands(house: House, progresses: Progresses) -> None:
    await leaving(house, 1)
    assert await progresses.of(CommunityId("another")) == ()
    assert [one.left for one in await progresses.of(None)] == [1]


@given(st.integers(1, 10_000), st.integers(0, 300))
def test_a_first_minute_s_rush_is_never_taken_for_the_pace_of_the_rest(number: int, seconds: int) -> None:
    now = VirtualClock().now()
    assert pace((number, now - timedelta(seconds=seconds)), now) == pytest.approx(number / max(1, seconds / 60))


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.1, "about a minute"), (1.6, "about 2 minutes"), (20.8, "about 21 minutes"), (208, "about 4 hours"), (3000, "about 3 days")],
)
def test_a_length_of_time_is_said_in_the_unit_people_would_use(minutes: float, words: str) -> None:
    assert about(minutes) == words
