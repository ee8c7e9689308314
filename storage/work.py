"""Work items of either box: what is due on a lane, and how it went. Drains ask this all the time, so it is built once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Integer, Table, Text, Update, bindparam, cast, func, literal_column, null, select, union_all, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel.ext.asyncio.session import AsyncSession

from core.dispatch import Lane
from storage.inbox import InboxRow, WorkStatus
from storage.outbox import OutboxRow
from storage.types import UTCDateTime, inline
from storage.upsert import table

Row = TypeVar("Row", InboxRow, OutboxRow)
_IN, _OUT = table(InboxRow), table(OutboxRow)


@dataclass(frozen=True, slots=True)
class Head:
    """A due row of either box without its payload: what it takes to decide what to do next."""

    id: str
    kind: str
    type: str
    """Of the event that came in; empty for a row of the outbox."""
    about: str
    """The id of the object at the processor."""
    came: datetime | None
    """When it came in; None for a row of the outbox."""
    attempts: int
    error: str
    cause: str


def _pending(box: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return box.c.lane == bindparam("lane"), box.c.status == inline(WorkStatus.PENDING)


def _is_due(box: Table) -> tuple[ColumnElement[bool], ...]:
    return *_pending(box), box.c.due_at <= bindparam("now")


_LIMIT = bindparam("limit", type_=Integer)
_CAME = select(
    _IN.c.id, _IN.c.kind, _IN.c.type, _IN.c.object_id.label("about"), _IN.c.received_at.label("came"), _IN.c.attempts, _IN.c.error,
    _IN.c.id.label("cause"),
).where(*_is_due(_IN)).order_by(_IN.c.due_at).limit(_LIMIT)  # fmt: skip
_AGAIN = select(
    _OUT.c.id, _OUT.c.kind, literal_column("''", Text).label("type"), _OUT.c.subject, cast(null(), UTCDateTime), _OUT.c.attempts,
    _OUT.c.error, _OUT.c.cause_id,
).where(*_is_due(_OUT)).order_by(_OUT.c.due_at).limit(_LIMIT)  # fmt: skip
_HEADS = union_all(select(_CAME.subquery()), select(_AGAIN.subquery()))
_NEXT = union_all(*(select(func.min(box.c.due_at)).where(*_pending(box)) for box in (_IN, _OUT)))
_DUE = {
    InboxRow: select(InboxRow).where(*_is_due(_IN)).order_by(_IN.c.due_at).limit(_LIMIT),
    OutboxRow: select(OutboxRow).where(*_is_due(_OUT)).order_by(_OUT.c.kind.desc(), _OUT.c.due_at).limit(_LIMIT),
}


def _changing(box: Table, **to: object) -> Update:
    return update(box).where(box.c.id.in_(bindparam("rows", expanding=True))).values(to)


_FINISH = {
    row: _changing(table(row), status=WorkStatus.DONE, done_at=bindparam("now", type_=UTCDateTime), error="")
    for row in (InboxRow, OutboxRow)
}
_POSTPONE = {
    row: _changing(
        table(row),
        status=bindparam("to"),
        due_at=bindparam("due", type_=UTCDateTime),
        attempts=bindparam("tries"),
        error=bindparam("why"),
    )
    for row in (InboxRow, OutboxRow)
}


async def heads(session: AsyncSession, lane: Lane, now: datetime, limit: int) -> list[Head]:
    """Return up to ``limit`` due rows of each box, those that came in first, each oldest first."""
    rows = await session.execute(_HEADS, {"lane": lane, "now": now, "limit": limit})
    return [Head(*row) for row in rows]


async def due(session: AsyncSession, box: type[Row], lane: Lane, now: datetime, limit: int) -> Sequence[Row]:
    """Return what is due on a lane, oldest first; in the outbox changes come before words."""
    return (await session.execute(_DUE[box], {"lane": lane, "now": now, "limit": limit})).scalars().all()


async def next_due(session: AsyncSession, lane: Lane) -> datetime | None:
    """Return when the next row of a lane falls due, in either box."""
    moments = (await session.execute(_NEXT, {"lane": lane})).scalars()
    return min((moment for moment in moments if moment is not None), default=None)


async def finish(session: AsyncSession, box: type[Row], rows: Sequence[str], now: datetime) -> None:
    """Mark rows done."""
    if rows:
        await session.execute(_FINISH[box], {"rows": list(rows), "now": now})


async def postpone(
    session: AsyncSession, box: type[Row], rows: Sequence[str], due_at: datetime, attempts: int, error: str, *, dead: bool
) -> None:
    """Try rows again at ``due_at``, or give them up."""
    status = WorkStatus.DEAD if dead else WorkStatus.PENDING
    if rows:
        await session.execute(_POSTPONE[box], {"rows": list(rows), "to": status, "due": due_at, "tries": attempts, "why": error})
