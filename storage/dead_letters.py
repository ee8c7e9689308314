"""Work that was given up: what came in, what was to follow, and what was to be given or taken. A person decides what becomes of it."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import GrantId
from storage.audit import Trail, record
from storage.database import will_wake
from storage.grants import GrantRow, GrantStatus
from storage.inbox import InboxRow, WorkStatus
from storage.outbox import OutboxRow


@dataclass(frozen=True, slots=True)
class Letter:
    """One piece of it. ``what`` says it in a few words, ``about`` names the object or the person."""

    id: str
    kind: str
    what: str
    about: str
    since: datetime
    attempts: int
    error: str
    set_aside: bool = False
    """It was never tried: it is of another account or mode, so trying would be wrong."""
    content: str = ""

    @property
    def is_grant(self) -> bool:
        """Whether it is about what somebody holds."""
        return self.kind == "grant"


_DEAD_IN = select(InboxRow).where(col(InboxRow.status) == WorkStatus.DEAD)
_DEAD_OUT = select(OutboxRow).where(col(OutboxRow.status) == WorkStatus.DEAD)
_DEAD_GRANTS = select(GrantRow).where(col(GrantRow.status) == GrantStatus.DEAD)


async def every(session: AsyncSession, limit: int) -> list[Letter]:
    """Return what was given up, the oldest first; up to ``limit`` of each kind."""
    found = [_came_in(row) for row in await session.exec(_DEAD_IN.order_by(col(InboxRow.received_at)).limit(limit))]
    found += [_follows(row) for row in await session.exec(_DEAD_OUT.order_by(col(OutboxRow.created_at)).limit(limit))]
    found += [_grant(row) for row in await session.exec(_DEAD_GRANTS.order_by(col(GrantRow.changed_at)).limit(limit))]
    return sorted(found, key=lambda letter: letter.since)


async def find(session: AsyncSession, name: str) -> Letter | None:
    """Return the one with an id, None when nothing of that id is given up."""
    if (came := (await session.exec(_DEAD_IN.where(InboxRow.id == name))).first()) is not None:
        return _came_in(came)
    if (follows := (await session.exec(_DEAD_OUT.where(OutboxRow.id == name))).first()) is not None:
        return _follows(follows)
    grant = (await session.exec(_DEAD_GRANTS.where(GrantRow.id == name))).first()
    return _grant(grant) if grant is not None else None


async def replay(session: AsyncSession, letter: Letter, trail: Trail) -> bool:
    """Have it tried again from the start; False when somebody else has seen to it meanwhile."""
    if letter.is_grant:
        return await _replay_grant(session, GrantId(letter.id), trail)
    row = await _held(session, letter.id)
    if row is None:
        return False
    row.status, row.attempts, row.due_at = WorkStatus.PENDING, 0, trail.at
    session.add(row)
    will_wake(session, row.lane)
    return True


async def drop(session: AsyncSession, letter: Letter, now: datetime) -> bool:
    """Have nothing come of it; its row says so until it has had its time. False when somebody else has seen to it meanwhile."""
    row = await _held(session, letter.id)
    if row is None:
        return False
    row.status, row.done_at, row.error = WorkStatus.DONE, now, f"dropped: {row.error}"
    session.add(row)
    return True


async def _held(session: AsyncSession, name: str) -> InboxRow | OutboxRow | None:
    row: InboxRow | OutboxRow | None = await session.get(InboxRow, name, with_for_update=True)
    row = row or await session.get(OutboxRow, name, with_for_update=True)
    return row if row is not None and row.status == WorkStatus.DEAD else None


async def _replay_grant(session: AsyncSession, grant: GrantId, trail: Trail) -> bool:
    row = await session.get_one(GrantRow, grant, with_for_update=True)
    if row.status != GrantStatus.DEAD:
        return False
    before = row.facts
    row.status, row.attempts, row.due_at = GrantStatus.PENDING, 0, trail.at
    session.add(row)
    record(session, trail, row.community_id, "grant.retried", ("grant", row.id), member=row.member_id,
           before=before, after=row.facts, answer="the operator had it tried again")  # fmt: skip
    will_wake(session, row.lane)
    return True


def _came_in(row: InboxRow) -> Letter:
    what, content = f"{row.type} from {row.source}", row.payload.decode(errors="replace")
    return Letter(row.id, str(row.kind), what, row.object_id, row.received_at, row.attempts, row.error, row.attempts == 0, content)


def _follows(row: OutboxRow) -> Letter:
    content = json.dumps(row.payload, ensure_ascii=False, indent=2)
    what = str(row.payload.get("kind", row.kind))
    return Letter(row.id, str(row.kind), what, row.subject, row.created_at, row.attempts, row.error, content=content)


def _grant(row: GrantRow) -> Letter:
    what = "to be given" if row.wanted else "to be taken"
    return Letter(row.id, "grant", what, f"member {row.member_id}", row.changed_at, row.attempts, row.error)
