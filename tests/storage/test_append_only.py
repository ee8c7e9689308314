"""The audit and the books are written once."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from tests.storage.rows import everything, store

CHANGES = ["UPDATE {table} SET community_id = community_id", "DELETE FROM {table}"]


async def change(db: Database, statement: str) -> None:
    async with db.transaction() as session:
        await session.execute(text(statement))


@pytest.mark.parametrize("table", ["audit", "ledger"])
@pytest.mark.parametrize("statement", CHANGES)
async def test_nobody_changes_or_deletes_a_row(database: Database, table: str, statement: str) -> None:
    await store(database, everything("a"))
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        await change(database, statement.format(table=table))
    async with database.reading() as session:
        assert len((await session.execute(text(f"SELECT * FROM {table}"))).all()) == 1  # noqa: S608
    await store(database, everything("b"))


@pytest.mark.parametrize("table", ["audit", "ledger"])
async def test_nobody_empties_the_table_of_a_postgresql_database(postgres_database: Database, table: str) -> None:
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        await change(postgres_database, f"TRUNCATE {table}")
