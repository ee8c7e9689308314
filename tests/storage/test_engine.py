"""How each database is opened, and what that is worth."""

import os
from pathlib import Path

import aiosqlite
import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError
from sqlmodel import select

from storage.communities import CommunityRow
from storage.database import Database
from storage.engine import create_engines, normalise, obstacle
from storage.vault import Vault
from tests.storage.rows import SECRET, everything, inbox_row, store

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


@pytest.mark.parametrize("role", ["writer", "reader"])
async def test_every_sqlite_connection_is_durable_checked_and_patient(sqlite_database: Database, role: str) -> None:
    engine = getattr(sqlite_database.engines, role)
    async with engine.connect() as connection:
        found = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in PRAGMAS}
    assert found == PRAGMAS


async def test_sqlite_has_one_connection_that_writes_and_postgresql_has_a_pool(database: Database) -> None:
    engines = database.engines
    assert (engines.writer.pool.size() == 1) is database.sqlite  # type: ignore[attr-defined]
    assert (engines.writer is engines.reader) is not database.sqlite


@pytest.mark.parametrize(
    ("written", "driver", "name"),
    [
        ("sqlite:///doorman.db", "sqlite+aiosqlite", "doorman.db"),
        ("sqlite:////var/lib/doorman.db", "sqlite+aiosqlite", "/var/lib/doorman.db"),
        ("sqlite+aiosqlite:///doorman.db", "sqlite+aiosqlite", "doorman.db"),
        ("postgres://ann:secret@db:5433/door", "postgresql+psycopg", "door"),
        ("postgresql://db/door?sslmode=require", "postgresql+psycopg", "door"),
        ("postgresql+asyncpg://db/door", "postgresql+psycopg", "door"),
    ],
)
def test_an_address_is_accepted_as_people_write_it(written: str, driver: str, name: str) -> None:
    assert (normalise(written).drivername, normalise(written).database) == (driver, name)


@pytest.mark.parametrize("written", ["", "doorman.db", "mysql://db/door", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_any_other_address_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        normalise(written)


async def test_an_open_reader_does_not_hold_up_the_writer_and_keeps_its_view(sqlite_database: Database) -> None:
    async with sqlite_database.reading() as session:
        assert (await session.exec(select(CommunityRow))).all() == []
        await store(sqlite_database, everything("a")[:1])
        assert (await session.exec(select(CommunityRow))).all() == []
    async with sqlite_database.reading() as session:
        assert len((await session.exec(select(CommunityRow))).all()) == 1


async def test_an_open_writer_does_not_hold_up_readers(database: Database) -> None:
    async with database.transaction() as writing:
        writing.add(everything("a")[0])
        await writing.flush()
        async with database.reading() as session:
            assert (await session.exec(select(CommunityRow))).all() == []


async def test_an_error_of_the_database_quotes_no_values(database: Database) -> None:
    broken = inbox_row("a", handle=SECRET)
    broken.received_at = broken.received_at.replace(tzinfo=None)
    with pytest.raises(StatementError) as refused:
        await store(database, [broken])
    assert SECRET not in str(refused.value)


async def test_another_connection_factory_can_stand_in_for_sqlites(sqlite_url: str, vault: Vault) -> None:
    made = []

    async def connect() -> aiosqlite.Connection:
        made.append(Path(sqlite_url.removeprefix("sqlite:///")))
        return await aiosqlite.connect(made[-1])

    database = Database(create_engines(sqlite_url, vault, connect=connect))
    await store(database, everything("a"))
    await database.close()
    assert made


def test_a_file_in_a_folder_that_may_be_written_is_no_obstacle(tmp_path: Path) -> None:
    assert obstacle(f"sqlite:///{tmp_path / 'new.db'}") == ""
    (tmp_path / "old.db").touch()
    assert obstacle(f"sqlite:///{tmp_path / 'old.db'}") == ""
    assert obstacle("postgresql://nobody@127.0.0.1/nothing") == ""


def test_what_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "doorman.db").touch()
    closed = tmp_path
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != closed)
    assert obstacle(f"sqlite:///{tmp_path / 'doorman.db'}").startswith(f"The folder {tmp_path} of the database may not be written to.")
    closed = tmp_path / "doorman.db"
    assert obstacle(f"sqlite:///{closed}").startswith(f"The database {closed} may not be read and written.")
