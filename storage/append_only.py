"""Tables the database itself never lets anyone change: triggers, made with the table wherever it is made."""

from typing import Any

from sqlalchemy import Connection, Table, event, text
from sqlmodel import SQLModel

from storage.upsert import table

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_NUMBERS = ("CREATE SEQUENCE {table}_{column} OWNED BY {table}.{column}",
            "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('{table}_{column}')")  # fmt: skip
_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_POSTGRES = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def triggers(name: str, dialect: str) -> list[str]:
    """Return the statements that make a table refuse UPDATE and DELETE (and TRUNCATE, where there is one)."""
    if dialect == "sqlite":
        return [_SQLITE.format(table=name, verb=verb).strip() for verb in ("update", "delete")]
    return [_POSTGRES_FUNCTION.strip(), _POSTGRES.format(table=name).strip()]


def append_only(row: type[SQLModel]) -> None:
    """Have ``row``'s table refuse every change from its creation on."""

    @event.listens_for(table(row), "after_create")
    def on_create(target: Table, connection: Connection, **_: Any) -> None:  # noqa: ANN401 - whatever SQLAlchemy passes
        for statement in triggers(target.name, connection.dialect.name):
            connection.execute(text(statement))


def numbers(name: str, column: str, dialect: str) -> list[str]:
    """Return the statements that have a column count a table's rows up; none for SQLite, which numbers the rows of every table."""
    return [] if dialect == "sqlite" else [statement.format(table=name, column=column) for statement in _NUMBERS]


def numbered(row: type[SQLModel], column: str) -> None:
    """Have a column of ``row``'s table count up from its creation on."""

    @event.listens_for(table(row), "after_create")
    def on_create(target: Table, connection: Connection, **_: Any) -> None:  # noqa: ANN401 - whatever SQLAlchemy passes
        for statement in numbers(target.name, column, connection.dialect.name):
            connection.execute(text(statement))
