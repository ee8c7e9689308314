"""Deliveries that arrive together become durable together, and each caller hears about its own."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlmodel import col, select

from core.dispatch import Lane
from storage.database import Database
from storage.inbox import Busy, GroupCommit, InboxRow
from tests.storage.rows import AT, inbox_row, store

examples = itertools.count()


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
async def group(database: Database) -> AsyncIterator[GroupCommit]:
    async with GroupCommit(database) as opened:
        yield opened


async def together(group: GroupCommit, rows: Sequence[InboxRow]) -> list[bool | BaseException]:
    """Deliver all rows at the same moment and return each caller's answer."""
    return await asyncio.gather(*(group.record(row) for row in rows), return_exceptions=True)


async def stored(db: Database, source: str = "stripe:env") -> list[str]:
    async with db.reading() as session:
        return list((await session.exec(select(InboxRow.event_id).where(InboxRow.source == source).order_by(InboxRow.event_id))).all())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.integers(0, 5), min_size=1, max_size=30), batch=st.integers(1, 10))
async def test_deliveries_of_an_event_make_one_row_and_one_caller_hears_that_it_is_new(
    database: Database, events: list[int], batch: int
) -> None:
    source = f"example {next(examples)}"
    heard: Counter[int] = Counter()

    async def deliver(group: GroupCommit, number: int, event: int) -> None:
        new = await group.record(inbox_row(f"{source} {number}", source=source, event_id=f"evt_{event}"))
        assert f"evt_{event}" in await stored(database, source), "answered before it was durable"
        heard[event] += new

    async with GroupCommit(database, batch=batch) as group, asyncio.TaskGroup() as callers:
        for number, event in enumerate(events):
            callers.create_task(deliver(group, number, event))
    assert heard == dict.fromkeys(events, 1)
    assert await stored(database, source) == sorted({f"evt_{event}" for event in events})


async def test_what_arrives_together_shares_transactions(database: Database, group: GroupCommit) -> None:
    commits: list[None] = []
    database.before_commit = lambda: commits.append(None)
    assert await together(group, [inbox_row(str(number)) for number in range(100)]) == [True] * 100
    assert len(commits) <= 2


async def test_a_lone_delivery_waits_for_no_company(group: GroupCommit) -> None:
    assert await asyncio.wait_for(group.record(inbox_row("a")), 5)
    assert not await asyncio.wait_for(group.record(inbox_row("again", event_id="evt_a")), 5)


async def test_a_bad_row_fails_alone(database: Database, group: GroupCommit) -> None:
    await store(database, [inbox_row("taken")])
    rows = [inbox_row(str(number)) for number in range(20)]
    rows[3] = inbox_row("no zone", received_at=AT.replace(tzinfo=None))
    rows[4] = inbox_row("same id", id="taken-inbox")
    answers = await together(group, rows)
    assert isinstance(answers[3], StatementError)
    assert isinstance(answers[4], IntegrityError)
    assert [answer for number, answer in enumerate(answers) if number not in {3, 4}] == [True] * 18
    assert len(await stored(database)) == 19


async def test_a_caller_that_goes_away_harms_nobody(database: Database, group: GroupCommit) -> None:
    async with asyncio.TaskGroup() as callers:
        tasks = [callers.create_task(group.record(inbox_row(str(number)))) for number in range(10)]
        callers.create_task(cancel(tasks[4]))
    assert tasks[4].cancelled()
    assert all(task.result() for task in tasks if task is not tasks[4])
    assert await group.record(inbox_row("next"))
    assert len(await stored(database)) == 11


async def cancel(task: asyncio.Task[bool]) -> None:
    task.cancel()


async def test_more_than_may_wait_are_told_to_come_again(database: Database) -> None:
    async with GroupCommit(database, capacity=2) as group:
        answers = await together(group, [inbox_row(str(number)) for number in range(4)])
    assert answers[:2] == [True, True]
    assert [type(answer) for answer in answers[2:]] == [Busy, Busy]
    assert await stored(database) == ["evt_0", "evt_1"]


async def test_while_the_database_is_away_everyone_is_told_to_come_again(database: Database, group: GroupCommit) -> None:
    tries = itertools.count()

    def fail() -> None:
        next(tries)
        raise OperationalError("COMMIT", None, OSError("no space left"))

    database.before_commit = fail
    answers = await together(group, [inbox_row(str(number)) for number in range(10)])
    assert [type(answer) for answer in answers] == [Busy] * 10
    assert next(tries) == 1, "a database that is away is not asked again for every row"
    database.before_commit = None
    assert await together(group, [inbox_row(str(number)) for number in range(10)]) == [True] * 10


async def test_closing_stores_what_waits_and_then_takes_nothing_more(database: Database) -> None:
    async with asyncio.TaskGroup() as callers, GroupCommit(database) as group:
        waiting = [callers.create_task(group.record(inbox_row(str(number)))) for number in range(10)]
        await asyncio.sleep(0)
    assert [task.result() for task in waiting] == [True] * 10
    with pytest.raises(Busy):
        await group.record(inbox_row("late"))


async def test_nobody_is_left_waiting_when_the_process_is_killed_at_a_commit(database: Database) -> None:
    def abandon() -> None:
        raise Killed

    database.before_commit = abandon
    answers: list[bool | BaseException] = []
    with pytest.raises(BaseExceptionGroup) as died:
        async with GroupCommit(database) as group:
            answers = await together(group, [inbox_row("a"), inbox_row("b")])
    database.before_commit = None
    assert died.group_contains(Killed)
    assert await stored(database) == []
    assert True not in answers


async def test_one_that_was_killed_lets_nobody_wait_who_comes_later(database: Database) -> None:
    def abandon() -> None:
        raise Killed

    later: list[Exception] = []

    async def live() -> None:
        async with GroupCommit(database) as group:
            try:
                await together(group, [inbox_row("a")])
                await asyncio.Event().wait()
            finally:
                try:
                    async with asyncio.timeout(1):
                        await group.record(inbox_row("b"))
                except (Busy, TimeoutError) as error:
                    later.append(error)

    database.before_commit = abandon
    with pytest.raises(BaseExceptionGroup):
        await live()
    database.before_commit = None
    assert [type(error) for error in later] == [Busy]


async def test_the_lanes_of_new_rows_are_woken_after_the_commit_and_no_others(database: Database, group: GroupCommit) -> None:
    await store(database, [inbox_row("old")])
    woken: list[Lane] = []
    database.on_wake(woken.append)
    lanes = {"old": Lane("work:00"), "b": Lane("work:01"), "c": Lane("work:02"), "d": Lane("work:01")}
    await together(group, [inbox_row(name, id=f"{name}-again", lane=lane) for name, lane in lanes.items()])
    assert woken == ["work:01", "work:02"]


async def test_a_reply_handle_is_stored_among_rows_that_have_none(database: Database, group: GroupCommit) -> None:
    await together(group, [inbox_row("a"), inbox_row("b", handle='{"token": "t"}'), inbox_row("c")])
    async with database.reading() as session:
        handles = (await session.exec(select(InboxRow.handle).order_by(col(InboxRow.id)))).all()
    assert handles == [None, '{"token": "t"}', None]
