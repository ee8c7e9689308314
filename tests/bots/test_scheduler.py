import asyncio
import logging
from datetime import timedelta

import pytest

from bots.scheduler import Job, Schedule
from core.errors import TransientError
from sandbox.clock import VirtualClock

HOUR = timedelta(hours=1)


class Runs:
    """A job that can be watched, and held up in the middle."""

    def __init__(self) -> None:
        self.started = 0
        self.finished = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.changed = asyncio.Condition()

    async def __call__(self) -> None:
        await self._note("started")
        await self.gate.wait()
        await self._note("finished")

    async def _note(self, what: str) -> None:
        async with self.changed:
            setattr(self, what, getattr(self, what) + 1)
            self.changed.notify_all()

    async def until(self, *, started: int = 0, finished: int = 0) -> None:
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(lambda: self.started >= started and self.finished >= finished)


async def test_every_job_runs_when_the_program_starts() -> None:
    first, second = Runs(), Runs()
    async with Schedule([Job("first", HOUR, first), Job("second", HOUR, second)]):
        await first.until(finished=1)
        await second.until(finished=1)


async def test_a_job_runs_again_after_its_interval() -> None:
    runs = Runs()
    async with Schedule([Job("often", timedelta(milliseconds=50), runs)]):
        await runs.until(finished=3)


async def test_a_jump_of_the_clock_runs_every_job_at_once(clock: VirtualClock) -> None:
    runs = Runs()
    async with Schedule([Job("rare", HOUR, runs)]) as schedule:
        clock.on_jump(schedule.look_again)
        await runs.until(finished=1)
        clock.advance(timedelta(days=30))
        await runs.until(finished=2)


async def test_a_jump_while_a_job_runs_makes_it_run_once_more_and_never_twice_at_a_time(clock: VirtualClock) -> None:
    runs = Runs()
    runs.gate.clear()
    async with Schedule([Job("slow", HOUR, runs)]) as schedule:
        clock.on_jump(schedule.look_again)
        await runs.until(started=1)
        clock.advance(HOUR)
        clock.advance(HOUR)
        assert runs.started == 1
        runs.gate.set()
        await runs.until(finished=2)
    assert runs.started == 2


async def test_the_outside_failing_ends_the_turn_and_not_the_job(caplog: pytest.LogCaptureFixture) -> None:
    runs = Runs()

    async def failing() -> None:
        await runs()
        raise TransientError("the processor is away")

    with caplog.at_level(logging.WARNING):
        async with Schedule([Job("failing", timedelta(milliseconds=50), failing)]):
            await runs.until(finished=2)
    assert "failing was cut short and will be tried again: the processor is away" in caplog.messages


async def test_a_bug_in_one_job_is_logged_and_stops_neither_it_nor_the_others(caplog: pytest.LogCaptureFixture) -> None:
    runs, other = Runs(), Runs()

    async def broken() -> None:
        await runs()
        raise KeyError("a bug")

    async with Schedule([Job("broken", timedelta(milliseconds=50), broken), Job("other", timedelta(milliseconds=50), other)]):
        await runs.until(finished=2)
        await other.until(finished=2)
    assert any(record.exc_info and record.exc_info[0] is KeyError for record in caplog.records)


async def test_closing_waits_for_a_job_that_is_running() -> None:
    runs = Runs()
    runs.gate.clear()
    async with Schedule([Job("slow", HOUR, runs)]):
        await runs.until(started=1)
        asyncio.get_running_loop().call_later(0.05, runs.gate.set)
    assert runs.finished == 1


async def test_closing_cuts_short_what_does_not_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.scheduler.LAST_TURN", 0.05)
    runs = Runs()
    runs.gate.clear()
    async with asyncio.timeout(5), Schedule([Job("stuck", HOUR, runs)]):
        await runs.until(started=1)
    assert runs.finished == 0
