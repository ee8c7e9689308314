"""One lane as this process owns it: its epoch, and when to try again after a failure nobody foresaw."""

import asyncio
import logging
from datetime import datetime, timedelta

from core.backoff import backoff
from core.clock import Clock
from core.dispatch import Drain, Lane
from storage.database import Database
from storage.lanes import Fenced, take

log = logging.getLogger(__name__)
LONGEST_REST = timedelta(minutes=1)
"""A lane whose drain keeps failing is tried again at least this often."""


class LaneOwner:
    """Drains one lane, taking it over in the database first. Failures that have to do with one row are the drain's and stay in that row."""

    def __init__(self, db: Database, clock: Clock, owner: str, lane: Lane, drain: Drain) -> None:
        self.lane = lane
        self._db = db
        self._clock = clock
        self._owner = owner
        self._run = drain
        self._epoch: int | None = None
        self._failures = 0
        self._losses = 0
        self._rests_until: datetime | None = None

    @property
    def resting(self) -> bool:
        """Whether the lane waits after a failure, however often it is woken."""
        return self._rests_until is not None and self._clock.now() < self._rests_until

    async def drain(self) -> datetime | None:
        """Drain once and return when to do so again; raises only when this task is cancelled."""
        try:
            if self._epoch is None:
                self._epoch = await take(self._db, self.lane, self._owner, self._clock.now())
            due = await self._run(self.lane, self._epoch)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            log.exception("something inside the drain of lane %s was cancelled", self.lane)
            return self._rest()
        except Exception as error:
            if _fenced(error):
                return self._lost()
            log.exception("draining lane %s failed", self.lane)
            return self._rest()
        self._failures = self._losses = 0
        return due

    def _lost(self) -> datetime:
        """Take the lane back at once; lost again at once, two processes quarrel over it, and this one gives way for a while."""
        log.warning("lane %s was taken over by another process", self.lane)
        self._epoch = None
        self._losses += 1
        return self._clock.now() if self._losses == 1 else self._rest()

    def _rest(self) -> datetime:
        self._failures += 1
        self._rests_until = self._clock.now() + min(backoff(self._failures, 1.0), LONGEST_REST)
        return self._rests_until


def _fenced(error: Exception) -> bool:
    """Whether the lane was lost, said alone or by tasks the drain ran side by side."""
    return isinstance(error, Fenced) or (isinstance(error, ExceptionGroup) and error.split(Fenced)[1] is None)
