"""Why: one row for every change of a plan, subscription, entitlement or grant. Append-only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, FetchedValue, Index, Text, bindparam
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CauseId, CommunityId, Ids
from storage.append_only import append_only, numbered
from storage.types import Json, UTCDateTime


class AuditRow(SQLModel, table=True):
    """One change: what it was, what it is, what caused it and what the platform or the processor answered."""

    __tablename__ = "audit"
    __mapper_args__: ClassVar[dict[str, Any]] = {"eager_defaults": False}
    __table_args__ = (
        Index("ix_audit_subject", "subject_kind", "subject_id", "at"),
        Index("ix_audit_community_id", "community_id", "at"),
        Index("ix_audit_cause_id", "cause_id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    at: datetime = Field(sa_type=UTCDateTime)
    cause_id: CauseId = Field(sa_type=Text)
    actor: str = ""
    """Who did it where a person did: ``platform:user id``; empty for the program."""
    action: str
    """In the past tense: ``grant.granted``, ``subscription.changed``, ``plan.archived``."""
    subject_kind: str
    subject_id: str
    member_id: str = ""
    before: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    answer: str = ""
    seq: int | None = Field(default=None, sa_type=BigInteger, sa_column_kwargs={"server_default": FetchedValue()})
    """The order in which rows were written, given by PostgreSQL; SQLite's own row numbers say the same, and there it is empty."""


append_only(AuditRow)
numbered(AuditRow, "seq")
_CAUSED = select(AuditRow.id).where(col(AuditRow.cause_id) == bindparam("cause")).limit(1)


@dataclass(frozen=True, slots=True)
class Trail:
    """Who and what is behind a change, and when: passed to every function that audits."""

    ids: Ids
    at: datetime
    cause: CauseId
    actor: str = ""


def record(  # noqa: PLR0913 - an audit row has this many sides
    session: AsyncSession,
    trail: Trail,
    community: CommunityId,
    action: str,
    subject: tuple[str, str],
    *,
    member: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    answer: str = "",
) -> None:
    """Add an audit row to the change's own transaction. ``subject`` is (kind, id)."""
    session.add(
        AuditRow(
            id=trail.ids.new(),
            community_id=community,
            at=trail.at,
            cause_id=trail.cause,
            actor=trail.actor,
            action=action,
            subject_kind=subject[0],
            subject_id=subject[1],
            member_id=member,
            before=before or {},
            after=after or {},
            answer=answer,
        )
    )


async def caused(session: AsyncSession, cause: CauseId) -> bool:
    """Say whether anything was changed because of ``cause``."""
    return (await session.exec(_CAUSED, params={"cause": cause})).first() is not None
