"""No row points at another community's row: the database itself refuses."""

import pytest
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from storage.database import Database
from storage.tables import metadata
from tests.storage.rows import changed, everything, store

SCOPED = sorted(
    (table.name, next(column for column in found.column_keys if column != "community_id"), found.referred_table.name)
    for table in metadata().tables.values()
    for found in table.constraints
    if isinstance(found, ForeignKeyConstraint) and "community_id" in found.column_keys and len(found.column_keys) == 2
)


def test_every_reference_to_a_row_of_a_community_is_scoped() -> None:
    owned = {table.name for table in metadata().tables.values() if "community_id" in table.c} - {"stripe_accounts"}
    loose = [
        f"{table.name}.{key.parent.name}"
        for table in metadata().tables.values()
        for key in table.foreign_keys
        if key.column.table.name in owned and len(key.constraint.columns if key.constraint else ()) != 2
    ]
    assert loose == []
    assert len(SCOPED) >= 20


@pytest.mark.parametrize(("table", "column", "target"), SCOPED)
async def test_a_reference_across_communities_is_refused(database: Database, table: str, column: str, target: str) -> None:
    strangers, rows = everything("a"), everything("b")
    stranger, place = find(strangers, target), find(rows, table)
    await store(database, [*strangers[: stranger + 1], *rows[:place]])
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        await store(database, [changed(rows[place], **{column: strangers[stranger].model_dump()["id"]})])
    await store(database, rows[place:])


def find(rows: list[SQLModel], table: str) -> int:
    return next(index for index, row in enumerate(rows) if row.__tablename__ == table)
