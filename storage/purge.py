"""Deleting what nobody needs any more, a batch at a time, so that no transaction is long."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import CursorResult, Table, delete, func, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement


@dataclass(frozen=True)
class Purge:
    """Which rows of a table have had their time: those whose column ``moment`` is past, where ``which`` holds."""

    table: Table
    moment: str
    which: ColumnElement[bool] = field(default_factory=true)

    async def __call__(self, session: AsyncSession, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` rows, oldest first, whose moment is before ``before``, and return how many there were."""
        keys = tuple(self.table.primary_key.columns)
        old = select(*keys).where(*self._old(before)).order_by(self.table.c[self.moment]).limit(limit)
        result = await session.execute(delete(self.table).where(tuple_(*keys).in_(old)))
        return result.rowcount if isinstance(result, CursorResult) else 0

    async def count(self, session: AsyncSession, before: datetime) -> int:
        """Count what would be deleted in the end."""
        return int((await session.execute(select(func.count()).select_from(self.table).where(*self._old(before)))).scalar_one())

    def _old(self, before: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return self.table.c[self.moment] < before, self.which
