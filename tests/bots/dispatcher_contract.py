"""What holds of every dispatcher, on both databases. Subclass it and say how yours is opened."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from core.boundary import assert_outside_transaction
from core.dispatch import Dispatcher, Drain, Lane
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.engine import create_engines
from storage.inbox import InboxKind, InboxRow, WorkStatus, add
from storage.lanes import LaneRow, fence
from storage.vault import Vault

LANE = Lane("work:00")
OTHER = Lane("work:01")
TICK = timedelta(seconds=1)


class Running(Dispatcher, Protocol):
    """A dispatcher at work."""

    async def settled(self) -> None: ...


class Process:
    """A process as the dispatcher sees it: connections of its own, and a drain like the product's."""

    def __init__(self, name: str, db: Database, clock: VirtualClock) -> None:
        self.name = name
        self.db = db
        self.clock = clock
        self.calls: list[str] = []
        self.recorded: list[str] = []
        self.epochs: set[int] = set()
        self.at_once: Counter[Lane] = Counter()
        self.most_at_once: Counter[Lane] = Counter()
        self.call: Callable[[InboxRow], Awaitable[None]] = self.answer_at_once

    async def answer_at_once(self, _row: InboxRow) -> None:
        await asyncio.sleep(0)

    async def drain(self, lane: Lane, epoch: int) -> datetime | None:
        self.at_once[lane] += 1
        self.most_at_once[lane] = max(self.most_at_once[lane], self.at_once[lane])
        self.epochs.add(epoch)
        try:
            for row in await self.due(lane):
                assert_outside_transaction("calling the outside")
                self.calls.append(row.id)
                await self.call(row)
                await self.record(row, lane, epoch)
            return await self.next_due(lane)
        finally:
            self.at_once[lane] -= 1

    async def due(self, lane: Lane) -> list[InboxRow]:
        pending = (col(InboxRow.lane) == lane, col(InboxRow.status) == WorkStatus.PENDING)
        async with self.db.reading() as session:
            rows = await session.exec(select(InboxRow).where(*pending, col(InboxRow.due_at) <= self.clock.now()).order_by(InboxRow.id))
            return list(rows)

    async def next_due(self, lane: Lane) -> datetime | None:
        pending = (col(InboxRow.lane) == lane, col(InboxRow.status) == WorkStatus.PENDING)
        async with self.db.reading() as session:
            return (await session.exec(select(InboxRow.due_at).where(*pending).order_by(col(InboxRow.due_at)).limit(1))).first()

    async def record(self, row: InboxRow, lane: Lane, epoch: int) -> None:
        async with self.db.transaction() as session:
            await fence(session, lane, epoch)
            await session.execute(update(InboxRow).where(col(InboxRow.id) == row.id).values(status=WorkStatus.DONE))
        self.recorded.append(row.id)

    async def receive(self, row_id: str, lane: Lane = LANE, *, due_at: datetime | None = None) -> None:
        """Store a piece of work and wake its lane after the commit."""
        async with self.db.transaction() as session:
            await add(session, [self.row(row_id, lane, due_at)])

    async def receive_and_fail(self, row_id: str) -> None:
        async with self.db.transaction() as session:
            await add(session, [self.row(row_id, LANE, None)])
            raise ZeroDivisionError

    async def receive_without_a_wake(self, row_id: str, lane: Lane = LANE) -> None:
        async with self.db.transaction() as session:
            session.add(self.row(row_id, lane, None))

    def row(self, row_id: str, lane: Lane, due_at: datetime | None) -> InboxRow:
        now = self.clock.now()
        return InboxRow(
            id=row_id,
            kind=InboxKind.EVENT,
            source="somewhere",
            event_id=row_id,
            type="something",
            lane=lane,
            payload=b"{}",
            received_at=now,
            due_at=due_at or now,
        )


class Gate:
    """A call to the outside that hangs until it is let through."""

    def __init__(self, process: Process) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        process.call = self

    async def __call__(self, _row: InboxRow) -> None:
        self.reached.set()
        await self.open.wait()


class DispatcherContract(ABC):
    """``opened`` builds the dispatcher under test; leaving it gives running drains ``grace`` seconds."""

    @abstractmethod
    def opened(
        self, db: Database, clock: VirtualClock, owner: str, drains: Mapping[str, Drain], grace: float
    ) -> AbstractAsyncContextManager[Running]: ...

    def start(self, process: Process, drain: Drain | None = None, *, grace: float = 5.0) -> AbstractAsyncContextManager[Running]:
        return self.opened(process.db, process.clock, process.name, {"work": drain or process.drain}, grace)

    @pytest.fixture
    async def first(self, database: Database, clock: VirtualClock) -> Process:
        return Process("first", database, clock)

    @pytest.fixture
    async def second(self, database_url: str, vault: Vault, clock: VirtualClock) -> AsyncIterator[Process]:
        """Another process on the same database and the same clock."""
        opened = Database(create_engines(database_url, vault))
        yield Process("second", opened, clock)
        await opened.close()

    async def test_work_is_carried_out_once_after_the_commit_that_made_it(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            await dispatcher.settled()
            done = called_for(first, "a")
            await first.receive("a")
            await asyncio.wait_for(done.wait(), 5)
            await dispatcher.settled()
        assert first.calls == first.recorded == ["a"]

    async def test_work_of_a_rolled_back_transaction_is_not_carried_out(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            with pytest.raises(ZeroDivisionError):
                await first.receive_and_fail("a")
            await dispatcher.settled()
        assert first.calls == []

    async def test_rows_left_by_an_earlier_process_are_taken_up_at_the_start(self, first: Process) -> None:
        await first.receive("a")
        async with self.start(first) as dispatcher:
            await dispatcher.settled()
        assert first.recorded == ["a"]

    async def test_a_lane_is_drained_by_one_task_at_a_time_however_often_it_is_woken(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            async with asyncio.TaskGroup() as senders:
                for number in range(20):
                    senders.create_task(first.receive(f"a{number:02d}"))
                    dispatcher.wake(LANE)
                    dispatcher.wake(LANE)
            await dispatcher.settled()
        assert first.most_at_once[LANE] == 1
        assert sorted(first.calls) == [f"a{number:02d}" for number in range(20)]

    async def test_a_wake_during_a_drain_is_not_lost(self, first: Process) -> None:
        gate = Gate(first)
        done = called_for(first, "b")
        async with self.start(first):
            await first.receive("a")
            await reached(gate)
            await first.receive("b")
            gate.open.set()
            await asyncio.wait_for(done.wait(), 5)
        assert first.recorded == ["a", "b"]

    async def test_a_lane_that_hangs_holds_up_no_other_lane(self, first: Process) -> None:
        gate = Gate(first)
        done = asyncio.Event()

        async def call(row: InboxRow) -> None:
            await (gate(row) if row.lane == LANE else first.answer_at_once(row))
            if row.lane == OTHER:
                done.set()

        first.call = call
        async with self.start(first):
            await first.receive("a", LANE)
            await reached(gate)
            await first.receive("b", OTHER)
            await asyncio.wait_for(done.wait(), 5)
            assert "a" not in first.recorded
            gate.open.set()

    async def test_a_lost_wake_is_made_up_by_the_tick(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            await dispatcher.settled()
            done = called_for(first, "a")
            await first.receive_without_a_wake("a")
            async with asyncio.timeout(5):
                while not done.is_set():  # the tick before may still be looking, and then misses one move of the clock
                    first.clock.advance(TICK)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(done.wait(), 0.05)

    async def test_work_waits_for_its_time_and_is_done_the_moment_it_comes(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            await first.receive("a", due_at=first.clock.now() + TICK / 2)
            await dispatcher.settled()
            assert first.calls == []
            done = called_for(first, "a")
            first.clock.advance(TICK / 2)
            await asyncio.wait_for(done.wait(), 5)

    async def test_a_jump_of_the_clock_wakes_every_lane_that_became_due(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            for days, lane in ((3, LANE), (20, OTHER)):
                await first.receive(f"{lane} in {days} days", lane, due_at=first.clock.now() + timedelta(days=days))
            await dispatcher.settled()
            first.clock.advance(timedelta(days=30))
            await dispatcher.settled()
        assert sorted(first.recorded) == [f"{LANE} in 3 days", f"{OTHER} in 20 days"]

    async def test_what_a_killed_process_was_doing_is_done_by_the_next(self, first: Process, second: Process) -> None:
        gate = Gate(first)
        async with self.start(first, grace=0):
            await first.receive("a")
            await reached(gate)
        assert first.recorded == []
        async with self.start(second) as dispatcher:
            await dispatcher.settled()
        assert second.recorded == ["a"]

    async def test_an_owner_that_was_paused_records_nothing_once_another_has_taken_over(self, first: Process, second: Process) -> None:
        gate = Gate(first)
        async with self.start(first) as paused:
            await first.receive("a")
            await reached(gate)
            async with self.start(second) as dispatcher:
                await dispatcher.settled()
            assert second.recorded == ["a"]
            gate.open.set()
            await paused.settled()
        assert first.recorded == []

    async def test_an_owner_that_lost_its_lane_can_take_it_back(self, first: Process, second: Process) -> None:
        async with self.start(first) as one:
            await first.receive("a")
            await one.settled()
            await looked(first.clock)
            async with self.start(second) as two:
                await second.receive("b")
                await two.settled()
            await first.receive("c")
            await one.settled()
        assert (first.recorded, second.recorded) == (["a", "c"], ["b"])
        assert first.calls.count("c") == 2, "what was done under the old epoch is done again, which is why every call is idempotent"

    async def test_the_lane_is_taken_once_and_not_at_every_drain(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            for number in range(5):
                await first.receive(f"a{number}")
                await dispatcher.settled()
        assert first.epochs == {1}
        assert await lane_row(first.db, LANE) == (1, "first")

    async def test_a_failure_nobody_foresaw_is_logged_and_the_lane_rests_while_others_go_on(
        self, first: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        tries: list[datetime] = []
        failed, again = asyncio.Event(), asyncio.Event()

        async def drain(lane: Lane, epoch: int) -> datetime | None:
            if lane == OTHER:
                return await first.drain(lane, epoch)
            tries.append(first.clock.now())
            (again if failed.is_set() else failed).set()
            raise ZeroDivisionError("nobody foresaw this")

        async with self.start(first, drain) as dispatcher:
            await first.receive("a")
            await asyncio.wait_for(failed.wait(), 5)
            done = called_for(first, "b")
            await first.receive("b", OTHER)
            for _ in range(10):
                dispatcher.wake(LANE)
            await asyncio.wait_for(done.wait(), 5)
            assert len(tries) == 1, "a failing lane is not tried again before its rest is over"
            first.clock.advance(timedelta(minutes=1))
            await asyncio.wait_for(again.wait(), 5)
        assert "nobody foresaw this" in caplog.text
        assert "Traceback" in caplog.text

    async def test_closing_waits_for_what_runs_and_starts_nothing_new(self, first: Process) -> None:
        gate = Gate(first)
        async with asyncio.TaskGroup() as group:
            async with self.start(first) as dispatcher:
                await first.receive("a")
                await reached(gate)
                await first.receive("b", OTHER)
                group.create_task(release(gate))
            dispatcher.wake(LANE)
        assert "a" in first.recorded

    async def test_closing_does_not_wait_for_ever(self, first: Process) -> None:
        gate = Gate(first)
        async with asyncio.timeout(5):
            async with self.start(first, grace=0.01):
                await first.receive("a")
                await reached(gate)
        assert first.recorded == []

    async def test_waking_a_lane_nobody_drains_harms_nothing(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            await first.receive("a", Lane("elsewhere:main"))
            await first.receive("b")
            await dispatcher.settled()
        assert first.recorded == ["b"]

    async def test_a_lane_woken_from_inside_a_transaction_is_drained_outside_of_it(self, first: Process) -> None:
        async with self.start(first) as dispatcher:
            await first.receive_without_a_wake("a")
            async with first.db.reading():
                dispatcher.wake(LANE)
            await dispatcher.settled()
        assert first.recorded == ["a"]


async def reached(gate: Gate) -> None:
    await asyncio.wait_for(gate.reached.wait(), 5)


async def looked(clock: VirtualClock) -> None:
    """Return once the first look for what is due is over: a slow one would find what is received meanwhile, by whichever process."""
    async with asyncio.timeout(5):
        while not clock._sleepers:  # noqa: ASYNC110 - a tick tells nobody that it is over
            await asyncio.sleep(0.002)


async def release(gate: Gate) -> None:
    """Open the gate once whoever closes had every chance to go without waiting."""
    for _ in range(20):
        await asyncio.sleep(0)
    gate.open.set()


def called_for(process: Process, row_id: str) -> asyncio.Event:
    """Set when the process calls the outside for that row."""
    called = asyncio.Event()
    before = process.call

    async def call(row: InboxRow) -> None:
        if row.id == row_id:
            called.set()
        await before(row)

    process.call = call
    return called


async def lane_row(db: Database, lane: Lane) -> tuple[int, str]:
    async with db.reading() as session:
        row = await session.get_one(LaneRow, lane)
    return row.epoch, row.owner
