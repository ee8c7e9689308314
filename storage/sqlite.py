"""aiosqlite with one trip to its thread for each statement, instead of four (make a cursor, execute, fetch, close).

A trip costs a tenth of a millisecond, about ten times what the statement itself costs, and a payment is some fifty statements.
Rows are fetched whole with their statement, which is what SQLAlchemy does with them anyway; nothing here streams.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import aiosqlite

Rows = Sequence[Any]
Statement = Callable[[sqlite3.Cursor], object]
Answer = tuple[list[Any], Any, int, int | None]
"""Rows, their description, how many rows a statement changed, the last one's id."""


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
        await self._run(lambda cursor: cursor.execute(sql, parameters))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement once for each of ``parameters``."""
        await self._run(lambda cursor: cursor.executemany(sql, parameters))
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

    async def _run(self, statement: Statement) -> None:
        self._rows, self.description, self.rowcount, self.lastrowid = await self._connection.trip(statement)


class OneTripConnection(aiosqlite.Connection):
    """An aiosqlite connection that hands out :class:`OneTripCursor`, and rolls back only what was begun."""

    def cursor(self) -> OneTripCursor:  # type: ignore[override] # aiosqlite's is awaited or entered; SQLAlchemy enters, and so may this
        """Return a cursor; SQLite's own is made with the statement."""
        return OneTripCursor(self)

    async def rollback(self) -> None:
        """Roll back; a connection that goes back to its pool after a commit has nothing to."""
        if self.in_transaction:
            await super().rollback()

    async def trip(self, statement: Statement) -> Answer:
        """Run a statement in the connection's thread."""

        def run() -> Answer:
            cursor = self._conn.cursor()
            try:
                statement(cursor)
                return cursor.fetchall() if cursor.description else [], cursor.description, cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        answer: Answer = await self._execute(run)  # type: ignore[no-untyped-call] # aiosqlite types what it says is public
        return answer


def connect(file: str) -> OneTripConnection:
    """Return a connection to ``file``, to be awaited. Its thread ends with the process at the latest."""
    connection = OneTripConnection(lambda: sqlite3.connect(file), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does for connections it makes itself
    return connection
