"""aiosqlite with at most one trip to its thread for a statement, instead of four (make a cursor, execute, fetch, close).

A trip costs ten times what most statements cost, much more when the loop is busy, and a payment is some fifty statements. So what was
seen to be quick runs right here, and what may wait goes to the thread: beginning to write (another process may be writing) together with
the statement it is begun for, the commit (it waits for the disk), a statement not seen yet and one that took long the last time.
Rows are fetched whole with their statement, which is what SQLAlchemy does with them anyway; nothing here streams.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import aiosqlite

Rows = Sequence[Any]
Statement = Callable[[sqlite3.Cursor], object]
Answer = tuple[list[Any], Any, int, int | None]
"""Rows, their description, how many rows a statement changed, the last one's id."""
QUICK = 0.001
"""Seconds a statement may take the last time it ran to run on the event loop the next time."""
MANY = 1000
"""Of how many statements it is known whether they are quick."""
BEGIN_TO_READ, BEGIN_TO_WRITE = "BEGIN", "BEGIN IMMEDIATE"
NOTHING: Answer = ([], None, -1, None)
PLAIN = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
"""What never waits for another process: reading never does, and whoever writes has begun to."""


class OneTripCursor:
    """As much of an aiosqlite cursor as SQLAlchemy uses; ``execute`` brings everything back at once."""

    def __init__(self, connection: "OneTripConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement and keep its rows."""
        self._take(await self._connection.execute_whole(sql, parameters))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement once for each of ``parameters``."""
        self._take(await self._connection.trip(lambda cursor: cursor.executemany(sql, parameters)))
        return self

    async def fetchall(self) -> Rows:
        """Return the rows not taken yet."""
        rows, self._rows = self._rows, []
        return rows

    async def fetchmany(self, size: int | None = None) -> Rows:
        """Return up to ``size`` rows."""
        number = self.arraysize if size is None else size
        rows, self._rows = self._rows[:number], self._rows[number:]
        return rows

    async def fetchone(self) -> Any:  # noqa: ANN401 - a row
        """Return the next row, None after the last."""
        return self._rows.pop(0) if self._rows else None

    async def close(self) -> None:
        """Forget the rows; SQLite's own cursor was closed with its statement."""
        self._rows = []

    def _take(self, answer: Answer) -> None:
        self._rows, self.description, self.rowcount, self.lastrowid = answer


class OneTripConnection(aiosqlite.Connection):
    """An aiosqlite connection that hands out :class:`OneTripCursor`, and rolls back only what was begun."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._thread.daemon = True  # as SQLAlchemy does for connections it makes itself
        self._quick: dict[str, bool] = {}
        self._sent = self._finished = 0
        self._reading = False
        """Whether the transaction under way only reads: nothing of it waits for anybody."""
        self._beginning = False
        """Whether the next statement is the first of a transaction that writes."""

    def cursor(self) -> OneTripCursor:  # type: ignore[override] # aiosqlite's is awaited or entered; SQLAlchemy enters, and so may this
        """Return a cursor; SQLite's own is made with the statement."""
        return OneTripCursor(self)

    async def _connect(self) -> Self:
        """Open it. Whoever waits may be cancelled: what the thread opens all the same is closed before they go on.

        aiosqlite itself would let the thread open the file later, when it and the loop may be gone, and close nothing.
        """
        opened = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((opened, self._connector))
        try:
            await asyncio.wait([opened])
            self._connection = opened.result()
        except BaseException:
            await asyncio.wait([opened])
            self._connection = None if opened.exception() else opened.result()
            if (stopped := self.stop()) is not None:
                await stopped
            raise
        return self

    async def rollback(self) -> None:
        """Roll back; a connection that goes back to its pool after a commit has nothing to."""
        self._beginning = False
        if self._reading and self._idle:
            self._conn.rollback()
        elif not self._idle or self.in_transaction:
            await super().rollback()
        self._reading = False

    async def commit(self) -> None:
        """Commit; a transaction that was to write and had no statement was never begun."""
        if self._beginning:
            self._beginning = False
            return
        self._reading = False
        await super().commit()

    @property
    def _idle(self) -> bool:
        """Whether the thread is done with whatever it was given."""
        return self._sent == self._finished

    async def execute_whole(self, sql: str, parameters: Sequence[Any]) -> Answer:
        """Run a statement, here if it was quick the last time and the thread is done with whatever it was given."""
        if sql == BEGIN_TO_WRITE:
            self._beginning = True
            return NOTHING
        if sql == BEGIN_TO_READ and self._idle:
            self._reading = True
            return self._whole(lambda cursor: cursor.execute(sql))

        def run() -> Answer:
            began = perf_counter()
            answer = self._whole(lambda cursor: cursor.execute(sql, parameters))
            self._note(sql, perf_counter() - began)
            return answer

        if self._quick.get(sql, False) and self._idle and not self._beginning:
            return run()
        answer: Answer = await self._execute(self._begun(run))
        return answer

    async def trip(self, statement: Statement) -> Answer:
        """Run a statement in the connection's thread."""
        answer: Answer = await self._execute(self._begun(lambda: self._whole(statement)))
        return answer

    def _begun(self, run: Callable[[], Answer]) -> Callable[[], Answer]:
        """Put the beginning of a transaction before its first statement: they make the trip together."""
        if not self._beginning:
            return run
        self._beginning = False

        def both() -> Answer:
            self._conn.execute(BEGIN_TO_WRITE).close()
            return run()

        return both

    def _note(self, sql: str, took: float) -> None:
        if len(self._quick) >= MANY:
            self._quick.clear()
        self._quick[sql] = took < QUICK and sql.startswith(PLAIN)

    def _whole(self, statement: Statement) -> Answer:
        cursor = self._conn.cursor()
        try:
            statement(cursor)
            return cursor.fetchall() if cursor.description else [], cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever ``fn`` returns
        """Run something in the thread; whoever waits for it may be cancelled meanwhile, and the thread still be at it."""

        def run() -> Any:  # noqa: ANN401
            try:
                return fn(*args, **kwargs)
            finally:
                self._finished += 1

        self._sent += 1
        return await super()._execute(run)  # type: ignore[no-untyped-call] # aiosqlite types what it says is public


def connect(file: str) -> OneTripConnection:
    """Return a connection to ``file``, to be awaited. Its thread ends with the process at the latest."""
    return OneTripConnection(lambda: sqlite3.connect(file, check_same_thread=False))
