"""Work that follows from a change, written in the change's own transaction."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from core.dispatch import Lane, work_lane
from core.events import Notice
from core.ids import CauseId, CommunityId, MemberId
from storage.audit import Trail
from storage.database import will_wake
from storage.inbox import WorkStatus
from storage.purge import Purge
from storage.types import Json, UTCDateTime, inline
from storage.upsert import dialect_of, inserts, table


class OutboxKind(StrEnum):
    """What is to be done."""

    RECONCILE = "reconcile"
    """Make a member's grant rows follow their reasons; ``subject`` is the member."""
    REFETCH = "refetch"
    """Look an object of the processor up again; ``subject`` is its id."""
    NOTICE = "notice"
    """Tell somebody something; ``payload`` is a core.events message."""


_PENDING = text("status = 'pending'")


class OutboxRow(SQLModel, table=True):
    """One piece of work. ``dedupe`` makes a notice go out once; for reconcile it is empty and many rows of a member are done as one."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "lane", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("uq_outbox_dedupe", "dedupe", unique=True),
        Index("ix_outbox_subject", "subject"),
        Index("ix_outbox_created_at", "created_at"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    kind: OutboxKind = Field(sa_type=Text)
    lane: Lane = Field(sa_type=Text)
    subject: str
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    dedupe: str | None = None
    status: WorkStatus = Field(default=WorkStatus.PENDING, sa_type=Text)
    undelivered: bool = False
    """A notice that could not be delivered and is shown on the welcome page and in /status instead."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    attempts: int = 0
    error: str = ""
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    cause_id: CauseId = Field(sa_type=Text)


_Row = dict[str, Any]
"""Its columns by name but for those with a default: quicker made than an OutboxRow, and dumped already."""
_ADD = {dialect: new.on_conflict_do_nothing() for dialect, new in inserts(OutboxRow).items()}


async def _add(session: AsyncSession, row: _Row) -> None:
    """Insert a row unless its ``dedupe`` was used before, in SQL, so that two writers cannot both win."""
    await session.execute(_ADD[dialect_of(session)], row)
    will_wake(session, row["lane"])


async def add_reconcile(session: AsyncSession, trail: Trail, community: CommunityId, member: MemberId) -> None:
    """Have the member's grants follow their reasons once this transaction is durable."""
    await _add(session, _row(trail, community, OutboxKind.RECONCILE, work_lane(member), member))


async def add_notice(
    session: AsyncSession,
    trail: Trail,
    community: CommunityId,
    notice: Notice,
    *,
    member: MemberId | None = None,
    dedupe: str | None = None,
) -> None:
    """Have somebody told, once for each ``dedupe``. ``member`` is whom it is about, and who is told unless it is for the creator."""
    lane = work_lane(member or MemberId(community))
    row = _row(trail, community, OutboxKind.NOTICE, lane, member or "")
    await _add(session, {**row, "payload": notice.to_payload(), "dedupe": dedupe})


async def add_refetch(session: AsyncSession, trail: Trail, community: CommunityId, lane: Lane, subject: str, due_at: datetime) -> None:
    """Have an object of the processor looked up again at ``due_at``."""
    row = _row(trail, community, OutboxKind.REFETCH, lane, subject)
    await _add(session, {**row, "due_at": due_at, "dedupe": f"refetch:{subject}:{due_at.isoformat()}"})


def _row(trail: Trail, community: CommunityId, kind: OutboxKind, lane: Lane, subject: str) -> _Row:
    return {
        "id": trail.ids.new(),
        "community_id": community,
        "kind": kind,
        "lane": lane,
        "subject": subject,
        "payload": {},
        "dedupe": None,
        "created_at": trail.at,
        "due_at": trail.at,
        "cause_id": trail.cause,
    }


purge = Purge(table(OutboxRow), "created_at", table(OutboxRow).c.status == inline(WorkStatus.DONE))
"""Rows that are done, by when they were written, with their ``dedupe``."""
