"""Everything that came in: the row is the work item. Rows that arrive together become durable together."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from core.dispatch import Lane
from storage.database import Database, will_wake
from storage.purge import Purge
from storage.types import Encrypted, UTCDateTime, inline
from storage.upsert import dialect_of, inserts, table


class InboxKind(StrEnum):
    """What came in."""

    STRIPE = "stripe"
    """A webhook of the processor's."""
    NEWS = "news"
    """One that did not come, found by catch-up: for the books; what it would end was weighed before, or waits for a person."""
    COMMAND = "command"
    EVENT = "event"


class WorkStatus(StrEnum):
    """How a work item stands, in the inbox and the outbox."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"
    """Given up after its attempts, with the reason; a person may set it pending again."""


_PENDING = text("status = 'pending'")


class InboxRow(SQLModel, table=True):
    """One delivery. ``source`` is ``stripe:{endpoint}`` or a platform's name; a second delivery of its event is no new row."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "event_id", name="uq_inbox_event"),
        Index("ix_inbox_due", "lane", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_inbox_received_at", "received_at"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    """Also the cause_id of everything that follows."""
    kind: InboxKind = Field(sa_type=Text)
    source: str
    event_id: str
    type: str
    object_id: str = ""
    lane: Lane = Field(sa_type=Text)
    payload: bytes = Field(sa_type=LargeBinary)
    """The raw bytes, so that they can be read again by later code."""
    handle: str | None = Field(default=None, sa_type=Encrypted("inbox.handle"))
    """A command's reply handle as JSON: it holds a short-lived token."""
    status: WorkStatus = Field(default=WorkStatus.PENDING, sa_type=Text)
    received_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    attempts: int = 0
    error: str = ""
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Busy(Exception):  # noqa: N818 - nobody erred
    """The delivery is not known to be stored; whoever sent it should send it again."""


_UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout, OSError)
"""The database as a whole: no other row would fare better now."""
_BAD_ROW = (SQLAlchemyError, ValueError, TypeError, OverflowError)
_Waiting = tuple[InboxRow, "asyncio.Future[bool]"]


class GroupCommit:
    """Stores inbox rows; the ones that arrive while a commit runs share the next transaction.

    ``capacity`` rows may wait, ``batch`` share a transaction. What waits when the block ends is stored first.
    """

    def __init__(self, db: Database, *, capacity: int = 2000, batch: int = 200) -> None:
        self._db = db
        self._capacity = capacity
        self._batch = batch
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._open = False
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._open = True
        self._tasks.create_task(self._run(), name="group commit")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open = False
        self._arrived.set()
        await self._tasks.__aexit__(None, None, None)  # whatever ended the block, what was accepted is stored

    async def record(self, row: InboxRow) -> bool:
        """Return once ``row`` is durable: True when it is new, False when its event was there already.

        Raises Busy when too many wait or the database is away, and the row's own error when the row is at fault.
        """
        if not self._open or len(self._waiting) >= self._capacity:
            raise Busy("too many deliveries at once" if self._open else "closing down")
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, stored))
        self._arrived.set()
        return await stored

    async def _run(self) -> None:
        try:
            while self._open or self._waiting:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    batch = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
                    await self._store(batch)
        finally:
            self._open = False  # nobody waits for one that stores no more
            _fail(self._waiting, Busy("closing down"))

    async def _store(self, batch: Sequence[_Waiting]) -> None:
        """Store a batch and answer everyone in it; one that cannot be stored is halved until the bad row is alone."""
        try:
            async with self._db.transaction() as session:
                new = await add(session, [row for row, _ in batch])
        except _UNAVAILABLE as error:
            _fail(batch, Busy(f"the database is away ({type(error).__name__})"))
        except _BAD_ROW as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            middle = len(batch) // 2
            await self._store(batch[:middle])
            await self._store(batch[middle:])
        else:
            for row, stored in batch:
                if not stored.done():
                    stored.set_result(row.id in new)
        finally:
            _fail(batch, Busy("closing down"))


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for _, stored in batch:
        if not stored.done():
            stored.set_exception(error)


_ADD = {
    dialect: new.on_conflict_do_nothing(index_elements=["source", "event_id"]).returning(table(InboxRow).c.id)
    for dialect, new in inserts(InboxRow).items()
}


async def add(session: AsyncSession, rows: Sequence[InboxRow]) -> set[str]:
    """Insert the rows whose event is new, wake their lanes after the commit, and return the ids of those rows."""
    ordered = sorted(rows, key=lambda row: (row.source, row.event_id))  # one order for all, or two processes could deadlock
    new = set((await session.execute(_ADD[dialect_of(session)], [row.model_dump() for row in ordered])).scalars())
    for row in rows:
        if row.id in new:
            will_wake(session, row.lane)
    return new


purge = Purge(table(InboxRow), "received_at", table(InboxRow).c.status == inline(WorkStatus.DONE))
"""Rows that are done, by when they came in.

A delivery that is repeated later counts as new: keep them longer than the sender repeats and lists them (30 days).
"""
