"""What goes into a column comes out of it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.exc import StatementError

from storage.database import Database
from storage.inbox import InboxKind, InboxRow, WorkStatus
from storage.outbox import OutboxRow
from storage.types import UTCDateTime
from tests.storage.rows import AT, everything, inbox_row, outbox_row, store

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=zones)  # noqa: DTZ001 - the zones follow


@given(moment=moments)
@pytest.mark.parametrize("dialect", [SQLiteDialect(), PGDialect()], ids=["sqlite", "postgresql"])  # type: ignore[no-untyped-call]
def test_a_moment_comes_back_the_same_and_in_utc(dialect: Dialect, moment: datetime) -> None:
    column = UTCDateTime()
    back = column.process_result_value(column.process_bind_param(moment, dialect), dialect)
    assert back is not None
    assert back == moment
    assert back.tzinfo is UTC


async def test_a_moment_of_another_zone_comes_back_from_the_database_in_utc(database: Database) -> None:
    moment = datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    await store(database, [inbox_row("a", due_at=moment)])
    async with database.reading() as session:
        row = await session.get_one(InboxRow, "a-inbox")
    assert (row.due_at, row.due_at.tzinfo, row.done_at) == (moment, UTC, None)


async def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="has no time zone"):
        await store(database, [inbox_row("a", due_at=AT.replace(tzinfo=None))])


async def test_words_bytes_and_json_come_back_as_they_were(database: Database) -> None:
    payload = {"text": "Grüße ✓ \\ \" '", "nested": [1, None, {"a": True}]}
    await store(database, [everything("a")[0], outbox_row("a", payload=payload), inbox_row("a", payload=b"\x00\xff{}")])
    async with database.reading() as session:
        incoming, outgoing = await session.get_one(InboxRow, "a-inbox"), await session.get_one(OutboxRow, "a-outbox")
    assert (incoming.kind, incoming.status, incoming.payload) == (InboxKind.STRIPE, WorkStatus.PENDING, b"\x00\xff{}")
    assert outgoing.payload == payload
