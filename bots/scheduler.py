"""The table of jobs. APScheduler only wakes them: what is due stands in rows and is asked of the clock that was passed in.

APScheduler counts real seconds. That is right even when the clock is a sandbox's: between jumps both flow alike, and a jump is treated as a
restart, at which every job looks at what is due. So no job needs a due time of its own, and none is kept anywhere but in rows.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from core.clock import SystemClock
from core.errors import ExternalError

logger = logging.getLogger(__name__)
LAST_TURN = 4.0
"""Real seconds a running job is given when we close; it is cut short after that, and its rows are due again at the next start."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to look at ``every`` so often. ``run`` finds what is due by itself and may be called at any time."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]


class Schedule:
    """Runs each job when entered, at its interval, and after every jump of the clock; a job never overlaps itself."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._turned = asyncio.Event()
        self._turns = {job.name: _Turn(job, self._turned.set) for job in jobs}
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._real = SystemClock()

    async def __aenter__(self) -> Self:
        for turn in self._turns.values():
            self._scheduler.add_job(
                turn.take,
                IntervalTrigger(seconds=turn.job.every.total_seconds(), timezone=UTC),
                id=turn.job.name,
                name=turn.job.name,
                next_run_time=self._real.now(),
                misfire_grace_time=None,  # however late, it runs: the default would drop what is a second late
                coalesce=True,
                max_instances=1,
            )
        self._scheduler.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._scheduler.pause()
        running = {turn.task for turn in self._turns.values() if turn.task is not None}
        if running:
            _, late = await asyncio.wait(running, timeout=LAST_TURN)
            for task in late:
                task.cancel()
            await asyncio.wait(running)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # APScheduler shuts down in the loop's next round

    def look_again(self, now: datetime) -> None:
        """Run every job now: after a jump of the clock to ``now``. One that is running runs once more; once closed, none does."""
        if not self._scheduler.running:
            return
        logger.debug("looking at everything that is due at %s", now)
        for name, turn in self._turns.items():
            if not turn.again():
                turn.asked = True
                self._scheduler.modify_job(name, next_run_time=self._real.now())

    async def settled(self, within: float = 10.0) -> None:
        """Return once no job runs or was asked to; raises TimeoutError, naming those that do, after ``within`` real seconds."""
        try:
            async with asyncio.timeout(within):
                while any(turn.busy for turn in self._turns.values()):
                    self._turned.clear()
                    await self._turned.wait()
        except TimeoutError:
            busy = [name for name, turn in self._turns.items() if turn.busy]
            raise TimeoutError(f"after {within} s still busy: {', '.join(busy)}") from None


class _Turn:
    """One job's turns: a call that comes while it runs is made up for at its end, since APScheduler would drop it."""

    def __init__(self, job: Job, ended: Callable[[], None]) -> None:
        self.job = job
        self.task: asyncio.Task[object] | None = None
        self.asked = True
        self._ended = ended
        self._again = False

    @property
    def busy(self) -> bool:
        """Whether the job runs, or was asked to and has not begun."""
        return self.asked or self.task is not None

    def again(self) -> bool:
        """Ask for one more turn if one is under way; say whether it is."""
        self._again = self.task is not None
        return self._again

    async def take(self) -> None:
        """Run the job. The outside's failures end the turn, not the job; bugs are APScheduler's to log, with their traceback."""
        self.task, self.asked = asyncio.current_task(), False
        try:
            while True:
                self._again = False
                await self._run()
                if not self._again:
                    return
        finally:
            self.task = None
            self._ended()

    async def _run(self) -> None:
        try:
            await self.job.run()
        except ExternalError as error:
            logger.warning("%s was cut short and will be tried again: %s", self.job.name, error)
