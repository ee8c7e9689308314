"""The inbound lanes' drain: commands and platform events, one after another as they came."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError

from bots.command_runner import CommandRunner
from bots.event_runner import EventRunner
from core.backoff import MAX_ATTEMPTS, backoff
from core.clock import Clock
from core.dispatch import Lane
from core.errors import ExternalError, RateLimited, TransientError
from storage import work
from storage.database import Database
from storage.inbox import InboxKind, InboxRow
from storage.lanes import Fenced, fence

logger = logging.getLogger(__name__)
BATCH = 16


class InboundDrain:
    """Drains an ``inbound:`` lane. ``unit`` gives jitter in [0, 1)."""

    def __init__(self, *, db: Database, clock: Clock, commands: CommandRunner, events: EventRunner, unit: Callable[[], float]) -> None:
        self._db = db
        self._clock = clock
        self._commands = commands
        self._events = events
        self._unit = unit

    async def drain(self, lane: Lane, epoch: int) -> datetime | None:
        """Carry out what is due on ``lane`` and return when the next row falls due. Raises Fenced once the lane has another owner."""
        while rows := await self._due(lane):
            for row in rows:
                await self._settle(row, lane, epoch)
        async with self._db.glance() as session:
            return await work.next_due(session, lane)

    async def _due(self, lane: Lane) -> Sequence[InboxRow]:
        async with self._db.glance() as session:
            return await work.due(session, InboxRow, lane, self._clock.now(), BATCH)

    async def _settle(self, row: InboxRow, lane: Lane, epoch: int) -> None:
        """Run one row and record how it ended, unless the lane was taken over meanwhile."""
        failure = await self._failure(row)
        async with self._db.transaction() as session:
            await fence(session, lane, epoch)
            if failure is None:
                await work.finish(session, InboxRow, [row.id], self._clock.now())
                return
            due_at = self._clock.now() + failure.wait
            await work.postpone(session, InboxRow, [row.id], due_at, failure.attempts, failure.why, dead=failure.dead)
        if failure.bug and row.kind == InboxKind.COMMAND:
            await self._apologise(row)

    async def _failure(self, row: InboxRow) -> "_Failure | None":
        """Run one row; return None when that went well. What is not the row's fault is raised: the dispatcher waits and comes back."""
        try:
            await (self._commands.run(row) if row.kind == InboxKind.COMMAND else self._events.run(row))
        except RateLimited as error:
            return _Failure(str(error), row.attempts, timedelta(seconds=error.retry_after))
        except ExternalError as error:
            attempts = row.attempts + 1
            dead = attempts >= MAX_ATTEMPTS or not isinstance(error, TransientError)
            say = logger.error if dead else logger.info
            say("try %d failed: %s", attempts, error, extra={"reference": row.id, "what": row.type, "given_up": dead})
            return _Failure(str(error), attempts, backoff(attempts, self._unit()), dead=dead)
        except (Fenced, DBAPIError):
            raise
        except Exception as error:
            logger.exception("a bug", extra={"reference": row.id, "what": row.type})
            return _Failure(f"{type(error).__name__}: {error}", row.attempts + 1, timedelta(0), dead=True, bug=True)
        return None

    async def _apologise(self, row: InboxRow) -> None:
        try:
            await self._commands.apologise(row)
        except (ExternalError, ValueError, KeyError) as error:  # a row that cannot be read back has nobody to answer
            logger.warning("could not apologise: %s", type(error).__name__, extra={"reference": row.id})


@dataclass(frozen=True, slots=True)
class _Failure:
    why: str
    attempts: int
    wait: timedelta
    dead: bool = False
    bug: bool = False
