"""The schema that migrations make is the one the tables declare, on both databases, up and down."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage.engine import Engines, create_engines, migration_engine
from storage.schema import SchemaError, downgrade, head, upgrade
from storage.tables import metadata
from storage.vault import Vault

POSTGRES_SCHEMA = """
    SELECT 'column', c.table_name || '.' || c.column_name,
           concat_ws(' ', c.udt_name, c.is_nullable, c.column_default, c.character_maximum_length)
      FROM information_schema.columns c WHERE c.table_schema = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', tablename || '.' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', tgrelid::regclass::text || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
SQLITE_SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty(request: pytest.FixtureRequest, vault: Vault, tmp_path: Path) -> AsyncIterator[Engines]:
    """A database without a single table."""
    url = f"sqlite:///{tmp_path / 'empty.db'}" if request.param == "sqlite" else request.getfixturevalue("empty_postgres")
    engines = create_engines(url, vault)
    yield engines
    await engines.dispose()


def describe(connection: Connection) -> dict[tuple[str, str], str]:
    """Everything the database knows of its schema; SQLite keeps the statements, whose order of columns and constraints says nothing."""
    sqlite = connection.dialect.name == "sqlite"
    found = {}
    for kind, name, definition in connection.execute(text(SQLITE_SCHEMA if sqlite else POSTGRES_SCHEMA)):
        if "alembic" not in name:
            found[kind, name] = _in_order(name, definition) if sqlite else definition
    return found


def _in_order(name: str, statement: str) -> str:
    """A table that was made anew for a migration is written with quotes around its name."""
    lines = statement.replace(f'CREATE TABLE "{name}"', f"CREATE TABLE {name}").splitlines()
    return "\n".join(sorted(line.strip().rstrip(",") for line in lines))


async def described(engines: Engines) -> dict[tuple[str, str], str]:
    async with engines.reader.connect() as connection:
        return await connection.run_sync(describe)


async def test_migrating_makes_exactly_the_declared_schema(empty: Engines) -> None:
    await upgrade(empty)
    migrated = await described(empty)
    await downgrade(empty)
    async with empty.writer.begin() as connection:
        await connection.run_sync(metadata().create_all)
    declared = await described(empty)
    assert {kind for kind, _ in declared} >= {"index", "trigger"}
    assert migrated == declared


async def test_alembic_sees_nothing_left_to_migrate(empty: Engines) -> None:
    await upgrade(empty)
    async with empty.reader.connect() as connection:
        left = await connection.run_sync(lambda sync: compare_metadata(MigrationContext.configure(sync), metadata()))
    assert left == []


async def test_a_database_is_at_the_head_only_after_the_upgrade_and_not_after_going_back(empty: Engines) -> None:
    assert not await head(empty)
    await upgrade(empty)
    assert await head(empty)
    await downgrade(empty)
    assert not await head(empty)
    assert await described(empty) == {}


async def test_upgrading_twice_changes_nothing(empty: Engines) -> None:
    await upgrade(empty)
    first = await described(empty)
    await upgrade(empty)
    assert await described(empty) == first


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(empty: Engines) -> None:
    await upgrade(empty)
    async with empty.writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="another version of Doorman"):
        await upgrade(empty)
    assert not await head(empty)


async def test_an_upgrade_that_fails_leaves_nothing_behind(empty: Engines) -> None:
    async with empty.writer.begin() as connection:
        await connection.execute(text("CREATE TABLE orders (in_the_way INTEGER)"))
    before = await described(empty)
    with pytest.raises(DBAPIError, match="orders"):
        await upgrade(empty)
    assert await described(empty) == before


async def test_every_constraint_has_a_name(empty: Engines) -> None:
    await upgrade(empty)
    async with empty.reader.connect() as connection:
        nameless = await connection.run_sync(
            lambda sync: [
                (table, found)
                for table in inspect(sync).get_table_names()
                for found in (*inspect(sync).get_foreign_keys(table), *inspect(sync).get_unique_constraints(table))
                if not found["name"]
            ]
        )
    assert nameless == []


async def test_sqlite_migrations_run_without_foreign_keys_and_are_checked_at_the_end(sqlite_url: str, vault: Vault) -> None:
    engines = create_engines(sqlite_url, vault)
    migrating = migration_engine(engines.writer.url)
    async with migrating.begin() as connection:
        await connection.run_sync(lambda sync: MigrationContext.configure(sync).stamp(ScriptDirectory("storage/migrations"), "head"))
        await connection.execute(text("INSERT INTO members (id, community_id, created_at) VALUES ('m', 'gone', '2026-01-01 00:00:00')"))
    await migrating.dispose()
    with pytest.raises(SchemaError, match="members"):
        await upgrade(engines)
    with pytest.raises(IntegrityError):
        async with engines.writer.begin() as connection:
            await connection.execute(text("INSERT INTO members (id, community_id, created_at) VALUES ('n', 'gone', '2026-01-01')"))
    await engines.dispose()


async def test_what_was_there_before_a_migration_is_there_after_it(empty: Engines) -> None:
    await upgrade(empty, "0001")
    async with empty.writer.begin() as connection:
        await connection.execute(text("INSERT INTO communities VALUES ('c', 'Den', 'USD', NULL, NULL, '', '2026-01-01', NULL, '', NULL)"))
        await connection.execute(
            text(
                "INSERT INTO spaces (id, community_id, platform, realm, external_id, name, installer, connected, created_at) "
                "VALUES ('s', 'c', 'den', '', '1', 'Den', '1', true, '2026-01-01')"
            )
        )
    await upgrade(empty)
    async with empty.reader.connect() as connection:
        kept = (await connection.execute(text("SELECT name, connected, invite_link, invite_link_uses, invite_link_told FROM spaces"))).one()
    assert tuple(kept) == ("Den", True, "", 0, False)
    await downgrade(empty, "0001")
    async with empty.reader.connect() as connection:
        assert (await connection.execute(text("SELECT id, external_id FROM spaces"))).all() == [("s", "1")]
