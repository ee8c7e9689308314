"""SQLite on a disk in memory, in this very thread: several connections to one database that lasts as long as a history."""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from storage.sqlite import Answer, OneTripConnection

T = TypeVar("T")
SHARED = "/dev/shm"  # noqa: S108 - a folder with a random name in it
LOCKED = "database is locked"
BACK_AFTER = 1.0
"""Virtual seconds that a database takes to restart."""
PATIENCE = 10_000
"""How often somebody lets others go on before the lock counts as held for ever."""


class Disk:
    """A database that outlives the programs that open it. ``away`` makes every statement fail, as while a server restarts."""

    def __init__(self, template: sqlite3.Connection) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="doorman-history-", dir=SHARED if os.access(SHARED, os.W_OK) else None)
        self._file = f"{self._folder.name}/doorman.db"
        self.away = False
        self.full = False
        """Nothing more can be written; what is there can be read."""
        self.statements_left: int | None = None
        """After how many statements it goes away; None: it stays."""
        self._anchor = _named(sqlite3.connect(self._file), "")
        template.backup(self._anchor)

    def open(self, owner: str) -> sqlite3.Connection:
        """Return a connection of its own for the process called ``owner``."""
        if self.away:
            raise sqlite3.OperationalError("unable to open database file")
        return _named(sqlite3.connect(self._file), owner)

    def step(self, sql: str = "") -> None:
        """Count a statement, and go away when it is time; OperationalError while away, and for what would write while full."""
        if self.full and sql.startswith("INSERT"):
            raise sqlite3.OperationalError("database or disk is full")
        if self.statements_left is not None:
            self.statements_left -= 1
            if self.statements_left <= 0:
                self.statements_left, self.away = None, True
                asyncio.get_running_loop().call_later(BACK_AFTER, self._back)
        if self.away:
            raise sqlite3.OperationalError("disk I/O error")

    def _back(self) -> None:
        self.away = False

    def copy_to(self, other: sqlite3.Connection) -> None:
        """Copy all of it."""
        self._anchor.backup(other)

    def copy_from(self, other: sqlite3.Connection) -> None:
        """Restore a copy, while no process has it open."""
        other.backup(self._anchor)

    def ask(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Look at what is in it, as nobody of the product."""
        return self._anchor.execute(sql, parameters).fetchall()

    def change(self, sql: str, *parameters: object) -> None:
        """Change what is in it, as somebody who has the file."""
        self._anchor.execute(sql, parameters)
        self._anchor.commit()

    def close(self) -> None:
        """Forget it all, once the last program has closed its connections."""
        self._anchor.close()
        self._folder.cleanup()


def _named(connection: sqlite3.Connection, owner: str) -> sqlite3.Connection:
    """Have triggers know whose connection it is."""
    connection.create_function("process", 0, lambda: owner)
    return connection


class _AtOnce:
    """Stands in for the queue to aiosqlite's thread: what is put in is done."""

    def put_nowait(self, job: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = job
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 - as the thread would hand it back
            if future is not None:
                future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class _NoThread:
    daemon = True

    def start(self) -> None:
        """There is nothing to start."""


class SameThreadConnection(OneTripConnection):
    """Runs every statement here and now; others get their turn before a transaction begins and after it is durable."""

    def __init__(self, disk: Disk, owner: str) -> None:
        super().__init__(lambda: disk.open(owner))
        self._disk = disk
        self._tx = _AtOnce()  # type: ignore[assignment]
        self._thread = _NoThread()  # type: ignore[assignment]

    def drop(self) -> None:
        """Close as an operating system does for a process that is gone: what was begun is rolled back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def execute_whole(self, sql: str, parameters: Sequence[Any]) -> Answer:
        if sql.startswith("PRAGMA busy_timeout"):
            sql = "PRAGMA busy_timeout=0"
        if sql == "BEGIN IMMEDIATE":
            await asyncio.sleep(0)
        return await self._unlocked(lambda: self._whole(lambda cursor: cursor.execute(sql, parameters)), sql)

    async def commit(self) -> None:
        await self._unlocked(self._conn.commit)
        await asyncio.sleep(0)

    async def _unlocked(self, step: Callable[[], T], sql: str = "") -> T:
        """Do something once nobody else's lock stands against it."""
        for _ in range(PATIENCE):
            self._disk.step(sql)
            try:
                return step()
            except sqlite3.OperationalError as error:
                if str(error) != LOCKED:
                    raise
            await asyncio.sleep(0)
        raise sqlite3.OperationalError(LOCKED)
