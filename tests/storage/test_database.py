"""Transactions: what they keep, whom they wake, and what may not happen inside."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import select

from core.boundary import assert_outside_transaction
from core.dispatch import Lane
from storage.communities import CommunityRow
from storage.database import Database, will_wake
from storage.engine import create_engines, normalise
from storage.vault import Vault
from tests.storage.rows import everything, store


class Abandoned(BaseException):
    """The process is gone."""


async def names(db: Database) -> list[str]:
    async with db.reading() as session:
        return list((await session.exec(select(CommunityRow.id).order_by(CommunityRow.id))).all())


def seen_from_outside(url: str) -> list[str]:
    """What another program sees in the database at this moment."""
    engine = create_engine(normalise(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg"))
    with engine.connect() as connection:
        found = [str(name) for name in connection.execute(text("SELECT id FROM communities")).scalars()]
    engine.dispose()
    return found


async def write_and_fail(db: Database, error: BaseException) -> None:
    async with db.transaction() as session:
        session.add(everything("a")[0])
        await session.flush()
        will_wake(session, Lane("work:00"))
        raise error


async def test_lanes_are_woken_once_each_after_the_commit_and_not_before(database: Database, database_url: str) -> None:
    woken: list[tuple[Lane, list[str]]] = []
    database.on_wake(lambda lane: woken.append((lane, seen_from_outside(database_url))))
    async with database.transaction() as session:
        session.add(everything("a")[0])
        for lane in ("work:01", "work:00", "work:01"):
            will_wake(session, Lane(lane))
        await session.flush()
        assert woken == []
    assert woken == [(Lane("work:00"), ["a"]), (Lane("work:01"), ["a"])]


async def test_a_transaction_that_fails_leaves_nothing_and_wakes_nobody(database: Database) -> None:
    woken: list[Lane] = []
    database.on_wake(woken.append)
    with pytest.raises(ZeroDivisionError):
        await write_and_fail(database, ZeroDivisionError())
    assert (await names(database), woken) == ([], [])


async def test_a_process_that_is_gone_at_the_commit_leaves_nothing_and_wakes_nobody(database: Database) -> None:
    woken: list[Lane] = []
    database.on_wake(woken.append)

    def abandon() -> None:
        raise Abandoned

    database.before_commit = abandon
    with pytest.raises(Abandoned):
        await store(database, everything("a")[:1])
    database.before_commit = None
    assert (await names(database), woken) == ([], [])


async def test_a_cancelled_transaction_leaves_nothing_and_its_connection_works(database: Database) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with database.transaction() as session:
            session.add(everything("a")[0])
            await session.flush()
            inside.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(write())
        await asyncio.wait_for(inside.wait(), 5)
        task.cancel()
    assert await names(database) == []
    await store(database, everything("b")[:1])
    assert await names(database) == ["b"]


async def test_what_is_changed_while_reading_is_thrown_away(database: Database) -> None:
    async with database.reading() as session:
        session.add(everything("a")[0])
        await session.flush()
    assert await names(database) == []


async def test_a_call_outside_is_refused_inside_a_transaction_and_only_there(database: Database) -> None:
    assert_outside_transaction("the platform")
    async with database.transaction():
        with pytest.raises(RuntimeError, match="the platform inside a database transaction"):
            assert_outside_transaction("the platform")
    async with database.reading():
        with pytest.raises(RuntimeError):
            assert_outside_transaction("the platform")
    with pytest.raises(ZeroDivisionError):
        await write_and_fail(database, ZeroDivisionError())
    assert_outside_transaction("the platform")


async def test_whoever_is_woken_is_outside_the_transaction(database: Database) -> None:
    database.on_wake(assert_outside_transaction)
    async with database.transaction() as session:
        will_wake(session, Lane("work:00"))


async def test_a_database_that_answers_says_so(database: Database) -> None:
    assert await database.ping()


@pytest.mark.parametrize("address", ["sqlite:///{folder}/missing/doorman.db", "postgresql://127.0.0.1:1/doorman"])
async def test_a_database_that_is_away_does_not_answer(address: str, tmp_path: Path, vault: Vault) -> None:
    database = Database(create_engines(address.format(folder=tmp_path), vault))
    assert not await database.ping()
    await database.close()
    for thread in threading.enumerate():  # aiosqlite's ends by itself after a failed opening, and wants the loop for that
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)
