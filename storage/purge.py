"""Deleting what nobody needs any more, a batch at a time, so that no transaction is long."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import CursorResult, Delete, Integer, Select, Table, bindparam, delete, func, literal_column, select, true, tuple_
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
        result = await session.execute(self._delete, {"before": before, "limit": limit})
        return result.rowcount if isinstance(result, CursorResult) else 0

    async def count(self, session: AsyncSession, before: datetime) -> int:
        """Count what would be deleted in the end."""
        return int((await session.execute(self._count, {"before": before})).scalar_one())

    async def any(self, session: AsyncSession, before: datetime) -> bool:
        """Return whether there is anything to delete: looking takes no turn from whoever writes."""
        return (await session.execute(self._any, {"before": before})).first() is not None

    @cached_property
    def _any(self) -> Select[Any]:
        return select(literal_column("1")).select_from(self.table).where(*self._old()).limit(1)

    @cached_property
    def _delete(self) -> Delete:
        keys = tuple(self.table.primary_key.columns)
        old = select(*keys).where(*self._old()).order_by(self.table.c[self.moment]).limit(bindparam("limit", type_=Integer))
        return delete(self.table).where(tuple_(*keys).in_(old))

    @cached_property
    def _count(self) -> Select[Any]:
        return select(func.count()).select_from(self.table).where(*self._old())

    def _old(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return self.table.c[self.moment] < bindparam("before"), self.which
