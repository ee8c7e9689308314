"""Owning a lane, and which lanes have work."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlmodel import SQLModel

from core.dispatch import Lane
from storage.database import Database
from storage.engine import create_engines
from storage.grants import GrantRow, GrantStatus
from storage.grants import due as due_grants
from storage.inbox import InboxRow, WorkStatus
from storage.lanes import Fenced, LaneRow, due_lanes, fence, take
from storage.outbox import OutboxRow
from storage.vault import Vault
from storage.work import due as due_work
from tests.storage.rows import AT, LANE, changed, everything, inbox_row, outbox_row, store

LATER = AT + timedelta(hours=1)


@pytest.fixture
async def other(database_url: str, vault: Vault) -> AsyncIterator[Database]:
    """Another process's way into the same database."""
    opened = Database(create_engines(database_url, vault))
    yield opened
    await opened.close()


async def check(db: Database, epoch: int) -> None:
    async with db.transaction() as session:
        await fence(session, LANE, epoch)


async def due(db: Database) -> set[Lane]:
    async with db.reading() as session:
        return await due_lanes(session, AT)


async def test_each_owner_gets_a_higher_epoch_and_lanes_do_not_share_them(database: Database) -> None:
    assert [await take(database, LANE, owner, AT) for owner in ("one", "two")] == [1, 2]
    assert await take(database, Lane("work:01"), "one", LATER) == 1
    async with database.reading() as session:
        row = await session.get_one(LaneRow, LANE)
    assert (row.epoch, row.owner, row.taken_at) == (2, "two", AT)


async def test_many_who_take_a_lane_at_once_all_get_different_epochs(database: Database) -> None:
    async with asyncio.TaskGroup() as group:
        takers = [group.create_task(take(database, LANE, str(number), AT)) for number in range(8)]
    assert sorted(taker.result() for taker in takers) == list(range(1, 9))


async def test_only_the_last_owner_may_record(database: Database) -> None:
    first, second = await take(database, LANE, "one", AT), await take(database, LANE, "two", AT)
    await check(database, second)
    with pytest.raises(Fenced, match="epoch 2, not 1"):
        await check(database, first)


async def test_nobody_records_on_a_lane_that_was_never_taken(database: Database) -> None:
    with pytest.raises(Fenced):
        await check(database, 1)


async def test_a_lane_is_not_taken_over_between_the_fence_and_the_commit(database: Database, other: Database) -> None:
    epoch = await take(database, LANE, "one", AT)
    async with asyncio.TaskGroup() as group:
        async with database.transaction() as session:
            await fence(session, LANE, epoch)
            taking = group.create_task(take(other, LANE, "two", AT))
            done, _ = await asyncio.wait([taking], timeout=0.2)
            assert not done
            session.add(inbox_row("recorded under the first epoch"))
        assert await taking == epoch + 1


@pytest.mark.parametrize("box", [InboxRow, OutboxRow, GrantRow])
async def test_a_lane_is_due_when_any_kind_of_row_is(database: Database, box: type[SQLModel]) -> None:
    await store(database, everything_but_due(box))
    assert await due(database) == {LANE}


def everything_but_due(box: type[SQLModel]) -> list[SQLModel]:
    """A community whose only due row is in ``box``."""
    return [
        changed(row, due_at=LATER) if isinstance(row, InboxRow | OutboxRow | GrantRow) and not isinstance(row, box) else row
        for row in everything("a")
    ]


async def test_a_lane_is_not_due_for_what_is_done_given_up_blocked_or_later(database: Database) -> None:
    rows = [row for row in everything("a") if not isinstance(row, InboxRow | OutboxRow)]
    await store(database, [changed(row, status=GrantStatus.BLOCKED) if isinstance(row, GrantRow) else row for row in rows])
    await store(database, [inbox_row("done", status=WorkStatus.DONE), inbox_row("dead", status=WorkStatus.DEAD)])
    await store(database, [inbox_row("later", due_at=LATER), outbox_row("a", due_at=LATER)])
    assert await due(database) == set()


async def test_sqlite_finds_due_work_by_the_partial_indexes(sqlite_database: Database) -> None:
    plans = explained(sqlite_database)
    async with sqlite_database.reading() as session:
        await due_lanes(session, AT)
        await due_work(session, InboxRow, LANE, AT, 10)
        await due_work(session, OutboxRow, LANE, AT, 10)
        await due_grants(session, LANE, AT, 10)
    assert [sum(index in plan for plan in plans) for index in ("ix_inbox_due", "ix_outbox_due", "ix_grants_due")] == [2, 2, 3], plans
    sorting = [plan for plan in plans if "ix_grants_due" in plan and "FOR ORDER BY" in plan]
    assert not sorting, "gains and losses are each read in the order they are due in"


def explained(db: Database) -> list[str]:
    """How SQLite goes about each statement from now on."""
    plans: list[str] = []

    @event.listens_for(db.engines.reader.sync_engine, "before_cursor_execute")
    def explain(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:  # noqa: ANN401
        if statement.startswith("SELECT"):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            assert "= 'pending'" in statement, "written out: SQLite need not look at a bound value when it chooses an index"
            plans.append("; ".join(str(step[-1]) for step in plan))

    return plans
