"""Work items of either box: what is due on a lane, and how it went."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import func, union_all, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.dispatch import Lane
from storage.inbox import InboxRow, WorkStatus
from storage.outbox import OutboxRow
from storage.types import inline

Row = TypeVar("Row", InboxRow, OutboxRow)


async def due(session: AsyncSession, box: type[Row], lane: Lane, now: datetime, limit: int) -> Sequence[Row]:
    """Return what is due on a lane, oldest first; in the outbox changes come before words."""
    query = select(box).where(box.lane == lane, col(box.status) == inline(WorkStatus.PENDING), box.due_at <= now).limit(limit)
    order = [col(box.kind).desc(), col(box.due_at)] if box is OutboxRow else [col(box.due_at)]
    return (await session.exec(query.order_by(*order))).all()


async def next_due(session: AsyncSession, lane: Lane) -> datetime | None:
    """Return when the next row of a lane falls due, in either box."""
    pending = [
        select(func.min(box.due_at)).where(col(box.lane) == lane, col(box.status) == inline(WorkStatus.PENDING))
        for box in (InboxRow, OutboxRow)
    ]
    moments = (await session.execute(union_all(*pending))).scalars()
    return min((moment for moment in moments if moment is not None), default=None)


async def finish(session: AsyncSession, box: type[Row], rows: Sequence[str], now: datetime) -> None:
    """Mark rows done."""
    if rows:
        await session.execute(update(box).where(col(box.id).in_(rows)).values(status=WorkStatus.DONE, done_at=now, error=""))


async def postpone(
    session: AsyncSession, box: type[Row], rows: Sequence[str], due_at: datetime, attempts: int, error: str, *, dead: bool
) -> None:
    """Try rows again at ``due_at``, or give them up."""
    status = WorkStatus.DEAD if dead else WorkStatus.PENDING
    if rows:
        await session.execute(update(box).where(col(box.id).in_(rows)).values(status=status, due_at=due_at, attempts=attempts, error=error))
