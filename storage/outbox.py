"""Work that follows from a change, written in the change's own transaction."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from core.dispatch import Lane
from core.ids import CauseId, CommunityId
from storage.inbox import WorkStatus
from storage.types import Json, UTCDateTime


class OutboxKind(StrEnum):
    """What is to be done."""

    RECONCILE = "reconcile"
    """Make a member's grant rows follow their reasons; ``subject`` is the member."""
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
