"""Where an SQLite statement runs: on the event loop when it was seen to be quick, in the connection's thread when it may wait."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import sqlite
from storage.sqlite import OneTripConnection

SLOW = "SELECT slowly(?)"
QUICK = "SELECT where_am_i(?)"


class Places:
    """Names the thread each statement runs in, and holds the slow one up until it is let go."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def note(self, word: str) -> str:
        self.seen.append("loop" if threading.current_thread() is threading.main_thread() else "thread")
        return word

    def hold(self, word: str) -> str:
        self.note(word)
        self.begun.set()
        assert self.go.wait(10)
        return word


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
async def connection(tmp_path: Path, places: Places) -> AsyncIterator[OneTripConnection]:
    opened = await sqlite.connect(str(tmp_path / "some.db"))
    await opened.create_function("where_am_i", 1, places.note)
    await opened.create_function("slowly", 1, places.hold)
    yield opened  # type: ignore[misc] # awaiting an aiosqlite connection gives itself
    await opened.close()


async def opening(connection: OneTripConnection) -> None:
    await connection


async def ask(connection: OneTripConnection, sql: str, word: str) -> list[tuple[str]]:
    cursor = await connection.cursor().execute(sql, (word,))
    return list(await cursor.fetchall())


@pytest.mark.parametrize(
    ("quick", "where"), [(10.0, ["thread", "loop", "loop"]), (0.0, ["thread", "thread", "thread"])], ids=["quick", "slow"]
)
async def test_a_statement_runs_in_the_thread_until_it_was_quick_there(
    connection: OneTripConnection, places: Places, monkeypatch: pytest.MonkeyPatch, *, quick: float, where: list[str]
) -> None:
    monkeypatch.setattr(sqlite, "QUICK", quick)
    assert [await ask(connection, QUICK, word) for word in "abc"] == [[("a",)], [("b",)], [("c",)]]
    assert places.seen == where


async def test_a_statement_that_becomes_slow_goes_back_to_the_thread(
    connection: OneTripConnection, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "QUICK", 10.0)
    await ask(connection, QUICK, "a")
    monkeypatch.setattr(sqlite, "QUICK", 0.0)
    for word in "bc":
        await ask(connection, QUICK, word)
    assert places.seen == ["thread", "loop", "thread"]


async def test_beginning_to_write_never_runs_on_the_loop_since_another_process_may_be_writing(
    connection: OneTripConnection, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "QUICK", 10.0)
    connection.isolation_level = None
    for word in "ab":
        await connection.cursor().execute("BEGIN IMMEDIATE")
        await ask(connection, QUICK, word)
        assert connection.in_transaction
        await connection.commit()
    assert places.seen == ["thread", "thread"]  # with the statement it is begun for
    with sqlite3.connect(tmp_path / "some.db", isolation_level=None, check_same_thread=False) as other:
        other.execute("BEGIN IMMEDIATE")
        await connection.cursor().execute("BEGIN IMMEDIATE")
        waiting = asyncio.get_running_loop().create_task(ask(connection, QUICK, "c"))
        await asyncio.sleep(0)  # the loop goes on while it waits
        assert not waiting.done()
        other.execute("COMMIT")
        await asyncio.wait_for(waiting, 10)
    other.close()


@pytest.mark.parametrize("end", ["commit", "rollback"])
async def test_a_transaction_without_a_statement_was_never_begun(connection: OneTripConnection, end: str, places: Places) -> None:
    connection.isolation_level = None
    await connection.cursor().execute("BEGIN IMMEDIATE")
    await getattr(connection, end)()
    await ask(connection, QUICK, "a")
    assert not connection.in_transaction
    assert places.seen == ["thread"]


async def test_many_rows_at_once_begin_the_transaction_they_are_the_first_of(connection: OneTripConnection) -> None:
    connection.isolation_level = None
    await connection.execute("CREATE TABLE words (word TEXT)")
    await connection.cursor().execute("BEGIN IMMEDIATE")
    await connection.cursor().executemany("INSERT INTO words VALUES (?)", [("a",), ("b",)])
    await connection.rollback()
    assert await (await connection.cursor().execute("SELECT count(*) FROM words")).fetchone() == (0,)


async def test_a_snapshot_to_read_from_is_taken_and_given_back_on_the_loop(connection: OneTripConnection, tmp_path: Path) -> None:
    connection.isolation_level = None
    await connection.execute("PRAGMA journal_mode=WAL")
    await connection.execute("CREATE TABLE words (word TEXT)")
    sent = connection._sent
    for expected in (0, 1):
        await connection.cursor().execute("BEGIN")
        assert connection.in_transaction
        assert await (await connection.cursor().execute("SELECT count(*) FROM words")).fetchone() == (expected,)
        with sqlite3.connect(tmp_path / "some.db") as other:
            other.execute("INSERT INTO words VALUES ('a')")
        other.close()
        await connection.rollback()
        assert not connection.in_transaction
    assert connection._sent - sent == 1  # the statement that was new


async def test_what_follows_a_statement_that_was_abandoned_waits_for_the_thread_to_be_done_with_it(
    connection: OneTripConnection, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "QUICK", 10.0)
    await ask(connection, QUICK, "a")
    abandoned = asyncio.get_running_loop().create_task(ask(connection, SLOW, "b"))
    await asyncio.to_thread(places.begun.wait, 10)
    abandoned.cancel()
    after = asyncio.get_running_loop().create_task(ask(connection, QUICK, "c"))
    await asyncio.sleep(0)
    assert not after.done()
    places.go.set()
    assert await asyncio.wait_for(after, 10) == [("c",)]
    assert places.seen == ["thread", "thread", "thread"]


async def test_whoever_no_longer_waits_for_a_connection_leaves_neither_it_nor_its_thread_behind(places: Places) -> None:
    opened: list[sqlite3.Connection] = []

    def connect() -> sqlite3.Connection:
        places.hold("opening")
        opened.append(sqlite3.connect(":memory:", check_same_thread=False))
        return opened[0]

    connection = OneTripConnection(connect)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(opening(connection))
        await asyncio.to_thread(places.begun.wait, 10)
        waiting.cancel()
        asyncio.get_running_loop().call_later(0.01, places.go.set)
    connection._thread.join(10)
    assert not connection._thread.is_alive()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


async def test_only_so_many_statements_are_remembered(connection: OneTripConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "MANY", 3)
    for number in range(10):
        await ask(connection, f"SELECT ?, {number}", "a")
    assert len(connection._quick) <= 3
