"""Everything that came in: the row is the work item."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from core.dispatch import Lane
from storage.types import Encrypted, UTCDateTime


class InboxKind(StrEnum):
    """What came in."""

    STRIPE = "stripe"
    COMMAND = "command"
    EVENT = "event"


class WorkStatus(StrEnum):
    """How a work item stands, in the inbox and the outbox."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"
    """Given up after its attempts, with the reason; a person may set it pending again."""


_PENDING = text("status = 'pending'")


class InboxRow(SQLModel, table=True):
    """One delivery. ``source`` is ``stripe:{endpoint}`` or a platform's name; a second delivery of its event is no new row."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "event_id", name="uq_inbox_event"),
        Index("ix_inbox_due", "lane", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_inbox_received_at", "received_at"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    """Also the cause_id of everything that follows."""
    kind: InboxKind = Field(sa_type=Text)
    source: str
    event_id: str
    type: str
    object_id: str = ""
    lane: Lane = Field(sa_type=Text)
    payload: bytes = Field(sa_type=LargeBinary)
    """The raw bytes, so that they can be read again by later code."""
    handle: str | None = Field(default=None, sa_type=Encrypted("inbox.handle"))
    """A command's reply handle as JSON: it holds a short-lived token."""
    status: WorkStatus = Field(default=WorkStatus.PENDING, sa_type=Text)
    received_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    attempts: int = 0
    error: str = ""
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
