"""INSERT … ON CONFLICT for whichever database a session speaks to: deciding in SQL, so that no race between a look and a write exists."""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SQLiteInsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

AT_ONCE = 500
"""How many rows one statement names, writes or reads ahead."""


def table(row: type[SQLModel]) -> Table:
    """Return the table behind a row class, for statements through Core."""
    return SQLModel.metadata.tables[str(row.__tablename__)]


@cache
def inserts(row: type[SQLModel]) -> Mapping[str, SQLiteInsert | PostgresInsert]:
    """Return what :func:`insert` would, for each dialect, to build a statement once for both; they are made once."""
    return {"sqlite": SQLiteInsert(table(row)), "postgresql": PostgresInsert(table(row))}


def dialect_of(session: AsyncSession) -> str:
    """Return which of them a session speaks."""
    return session.get_bind().dialect.name


def insert(session: AsyncSession, row: type[SQLModel]) -> SQLiteInsert | PostgresInsert:
    """Return a Core INSERT into ``row``'s table that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return inserts(row)[dialect_of(session)]


async def keep_first(session: AsyncSession, row: SQLModel) -> None:
    """Store a row unless one with its key is there."""
    await session.execute(_unless_there(dialect_of(session), type(row)), row.model_dump())


@cache
def _unless_there(dialect: str, row: type[SQLModel]) -> SQLiteInsert | PostgresInsert:
    return inserts(row)[dialect].on_conflict_do_nothing()
