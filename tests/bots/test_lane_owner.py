"""What one process does about its lane when a drain does not go well."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from bots.dispatcher import AsyncioDispatcher
from bots.lane_owner import LONGEST_REST, LaneOwner
from core.dispatch import Lane
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.lanes import Fenced

LANE = Lane("work:00")


@pytest.fixture
def owned(sqlite_database: Database, clock: VirtualClock) -> "Callable[[list[BaseException | None]], Lived]":
    return lambda outcomes: Lived(sqlite_database, clock, outcomes)


class Lived:
    """A lane whose drain goes as the list says, and then well; remembers the epochs it was drained under."""

    def __init__(self, db: Database, clock: VirtualClock, outcomes: list[BaseException | None]) -> None:
        self.epochs: list[int] = []
        self.clock = clock
        self._outcomes = outcomes
        self.owner = LaneOwner(db, clock, "this process", LANE, self._drain)

    async def _drain(self, _lane: Lane, epoch: int) -> datetime | None:
        self.epochs.append(epoch)
        outcome = self._outcomes.pop(0) if self._outcomes else None
        if outcome is not None:
            raise outcome
        return None


Owned = Callable[[list[BaseException | None]], Lived]


async def test_a_lane_that_was_lost_is_taken_back_at_once(owned: Owned) -> None:
    lane = owned([Fenced(), None])
    assert await lane.owner.drain() == lane.clock.now()
    assert not lane.owner.resting
    assert await lane.owner.drain() is None
    assert lane.epochs == [1, 2]


async def test_a_lane_lost_by_one_of_several_tasks_is_taken_back_too(owned: Owned) -> None:
    lane = owned([ExceptionGroup("side by side", [ExceptionGroup("deeper", [Fenced()]), Fenced()])])
    assert await lane.owner.drain() == lane.clock.now()
    assert lane.epochs == [1]
    await lane.owner.drain()
    assert lane.epochs == [1, 2]


async def test_a_lane_lost_again_and_again_is_left_to_the_other_for_a_while(owned: Owned) -> None:
    lane = owned([Fenced(), Fenced(), Fenced()])
    await lane.owner.drain()
    first = await lane.owner.drain()
    assert lane.owner.resting
    second = await lane.owner.drain()
    assert first is not None
    assert second is not None
    assert lane.clock.now() < first < second


async def test_a_bug_beside_a_lost_lane_is_not_taken_for_a_lost_lane(owned: Owned, caplog: pytest.LogCaptureFixture) -> None:
    lane = owned([ExceptionGroup("side by side", [Fenced(), ZeroDivisionError("a bug")])])
    await lane.owner.drain()
    assert lane.owner.resting
    assert "a bug" in caplog.text


async def test_a_lane_that_keeps_failing_rests_longer_each_time_up_to_a_minute_and_is_well_after_one_success(owned: Owned) -> None:
    lane = owned([ZeroDivisionError() for _ in range(12)])
    rests = []
    for _ in range(12):
        until = await lane.owner.drain()
        assert until is not None
        rests.append(until - lane.clock.now())
        lane.clock.advance_to(until)
        assert not lane.owner.resting
    assert rests[:4] == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 8)]
    assert rests[-1] == LONGEST_REST
    assert await lane.owner.drain() is None
    assert lane.epochs == [1] * 13


async def test_a_cancellation_from_inside_the_drain_is_a_failure_and_not_the_end(owned: Owned) -> None:
    lane = owned([asyncio.CancelledError()])
    assert await lane.owner.drain() is not None
    assert lane.owner.resting


async def test_a_cancellation_from_outside_ends_the_drain(sqlite_database: Database, clock: VirtualClock) -> None:
    started = asyncio.Event()

    async def hang(_lane: Lane, _epoch: int) -> datetime | None:
        started.set()
        await asyncio.Event().wait()
        return None

    async with asyncio.TaskGroup() as group:
        task = group.create_task(LaneOwner(sqlite_database, clock, "this process", LANE, hang).drain())
        await asyncio.wait_for(started.wait(), 5)
        task.cancel()
    assert task.cancelled()


async def test_the_tick_outlives_a_database_that_was_away(sqlite_database: Database, clock: VirtualClock) -> None:
    drained = asyncio.Event()
    looked = asyncio.Event()
    trouble = [OperationalError("SELECT", None, OSError("away"))]

    class Flaky(AsyncioDispatcher):
        async def tick(self) -> None:
            looked.set()
            if trouble:
                raise trouble.pop()
            self.wake(LANE)

    async def drain(_lane: Lane, _epoch: int) -> datetime | None:
        drained.set()
        return None

    async with Flaky(sqlite_database, clock, "this process", {"work": drain}):
        await asyncio.wait_for(looked.wait(), 5)
        clock.advance(timedelta(seconds=1))
        await asyncio.wait_for(drained.wait(), 5)


async def test_settling_says_what_is_left_when_time_runs_out(sqlite_database: Database, clock: VirtualClock) -> None:
    hanging = asyncio.Event()

    async def hang(_lane: Lane, _epoch: int) -> datetime | None:
        await hanging.wait()
        return None

    async with AsyncioDispatcher(sqlite_database, clock, "this process", {"work": hang}) as dispatcher:
        dispatcher.wake(LANE)
        with pytest.raises(TimeoutError, match=LANE):
            await dispatcher.settled(within=0.05)
        hanging.set()
        await dispatcher.settled()
