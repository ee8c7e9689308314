"""The dispatcher for one process: a task per lane that has work, on both databases.

It holds no truth: what is due is in rows, and whatever is forgotten here the next tick finds again.
"""

import asyncio
import contextvars
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from bots.lane_owner import LaneOwner
from core.clock import Clock, sleep
from core.dispatch import Drain, Lane
from storage.database import Database
from storage.lanes import due_lanes

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _State:
    """What a lane is doing."""

    owner: LaneOwner
    woken: bool = False
    running: bool = False
    alarm: asyncio.Task[None] | None = None
    alarm_at: datetime | None = None


class AsyncioDispatcher:
    """Drains woken lanes, each by one task at a time, inside its ``async with``; leaving waits ``grace`` real seconds for what runs.

    ``drains`` are found by what a lane's name begins with, up to its colon. ``owner`` names this process in the lanes' rows.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        owner: str,
        drains: Mapping[str, Drain],
        *,
        interval: timedelta = timedelta(seconds=1),
        grace: float = 25.0,
    ) -> None:
        self._db = db
        self._clock = clock
        self._owner = owner
        self._drains = dict(drains)
        self._interval = interval
        self._grace = grace
        self._lanes: dict[Lane, _State] = {}
        self._open = False
        self._tasks = asyncio.TaskGroup()
        self._working: set[asyncio.Task[None]] = set()
        self._busy = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._context = contextvars.Context()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._context = contextvars.copy_context()
        self._open = True
        self._db.on_wake(self.wake)
        self._ticker = self._tasks.create_task(self._tick_for_ever(), name="dispatcher tick")
        for state in self._lanes.values():
            self._start(state)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open = False
        try:
            self._ticker.cancel()
            for state in self._lanes.values():
                self._set_alarm(state, None)
            if self._working:
                await asyncio.wait(self._working, timeout=self._grace)
        finally:
            for task in self._working:
                log.warning("%s did not finish in time; its rows stay due", task.get_name())
                task.cancel()
            await self._tasks.__aexit__(None, None, None)

    def wake(self, lane: Lane) -> None:
        state = self._lanes.get(lane)
        if state is None:
            drain = self._drains.get(_prefix(lane))
            if drain is None:
                log.error("nothing here drains lane %s; is its adapter missing?", lane)
                return
            state = self._lanes[lane] = _State(LaneOwner(self._db, self._clock, self._owner, lane, drain))
        state.woken = True
        self._start(state)

    async def tick(self) -> None:
        """Wake every lane that has rows whose time has come."""
        for lane in await self._due():
            self.wake(lane)

    async def settled(self, within: float = 10.0) -> None:
        """Return once no lane is running and nothing is due; raises TimeoutError, saying what is left, after ``within`` real seconds."""
        due: list[Lane] = []
        try:
            async with asyncio.timeout(within):
                while True:
                    await self._idle.wait()
                    due = await self._due()
                    if not due and self._idle.is_set():
                        return
                    for lane in due:
                        self.wake(lane)
                    if self._idle.is_set():
                        await self._busy.wait()
        except TimeoutError:
            running = [lane for lane, state in self._lanes.items() if state.running]
            raise TimeoutError(f"after {within} s still running: {running}, still due: {due}") from None

    async def _due(self) -> list[Lane]:
        async with self._db.glance() as session:
            lanes = await due_lanes(session, self._clock.now())
        return sorted(lane for lane in lanes if _prefix(lane) in self._drains)

    async def _tick_for_ever(self) -> None:
        while True:
            try:
                await self.tick()
            except Exception:
                log.exception("looking for due lanes failed; trying again")
            await sleep(self._clock, self._interval)

    def _start(self, state: _State) -> None:
        if not self._open or not state.woken or state.running or state.owner.resting:
            return
        state.running = True
        self._idle.clear()
        self._busy.set()
        task = self._spawn(self._work(state), f"lane {state.owner.lane}")
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run in the context this dispatcher was opened in: whoever wakes a lane may be inside a transaction, its drain is not."""
        return self._tasks.create_task(work, name=name, context=self._context.copy())

    async def _work(self, state: _State) -> None:
        try:
            while state.woken and self._open and not state.owner.resting:
                state.woken = False
                self._set_alarm(state, await state.owner.drain())
        except BaseException:
            self._open = False  # cancelled, or the process is being killed: the task group takes no more tasks
            raise
        finally:
            state.running = False
            if not any(other.running for other in self._lanes.values()):
                self._busy.clear()
                self._idle.set()

    def _set_alarm(self, state: _State, moment: datetime | None) -> None:
        """Have the lane woken at ``moment``, and at no other that was set before."""
        if moment is not None and moment <= self._clock.now():
            state.woken, moment = True, None
        if moment == state.alarm_at:
            return
        if state.alarm is not None:
            state.alarm.cancel()
        state.alarm, state.alarm_at = None, moment
        if moment is not None and self._open:
            state.alarm = self._spawn(self._ring(state, moment), f"alarm of {state.owner.lane}")

    async def _ring(self, state: _State, moment: datetime) -> None:
        await self._clock.sleep_until(moment)
        state.alarm = state.alarm_at = None
        self.wake(state.owner.lane)


def _prefix(lane: Lane) -> str:
    return lane.partition(":")[0]
