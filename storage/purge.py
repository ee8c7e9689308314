"""Deleting what nobody needs any more, a batch at a time, so that no transaction is long."""

from datetime import datetime

from sqlalchemy import CursorResult, Table, delete, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement


async def delete_before(
    session: AsyncSession, table: Table, moment: str, before: datetime, limit: int, which: ColumnElement[bool] | None = None
) -> int:
    """Delete up to ``limit`` rows, oldest first, whose column ``moment`` is before ``before``, and return how many there were."""
    keys = tuple(table.primary_key.columns)
    column = table.c[moment]
    old = select(*keys).where(column < before, true() if which is None else which).order_by(column).limit(limit)
    result = await session.execute(delete(table).where(tuple_(*keys).in_(old)))
    return result.rowcount if isinstance(result, CursorResult) else 0
