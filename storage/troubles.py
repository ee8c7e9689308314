"""What stands in rows and waits for a person."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.events import FOR_CREATOR
from core.ids import CommunityId
from storage.communities import CommunityRow
from storage.grants import GrantRow, GrantStatus
from storage.inbox import InboxRow, WorkStatus
from storage.outbox import OutboxKind, OutboxRow
from storage.spaces import SpaceRow

SENTENCES = 3
"""How many different reasons of a kind are worth reading at once."""


async def connected_spaces(session: AsyncSession) -> Sequence[SpaceRow]:
    """Return every space we are in, oldest first."""
    return (await session.exec(select(SpaceRow).where(col(SpaceRow.connected)).order_by(col(SpaceRow.created_at)))).all()


async def spaces_of(session: AsyncSession, community: CommunityId) -> Sequence[SpaceRow]:
    """Return every space of a community, those we are no longer in too, oldest first."""
    return (await session.exec(select(SpaceRow).where(SpaceRow.community_id == community).order_by(col(SpaceRow.created_at)))).all()


async def dead_letters(session: AsyncSession) -> list[tuple[str, int, str]]:
    """Return what was given up, by kind: how many, and what the latest one says."""
    found: list[tuple[str, int, str]] = []
    for what, box in (("deliveries and commands", InboxRow), ("follow-up work", OutboxRow)):
        dead = col(box.status) == WorkStatus.DEAD
        count = (await session.exec(select(func.count()).select_from(box).where(dead))).one()
        error = (await session.exec(select(box.error).where(dead).order_by(col(box.due_at).desc()).limit(1))).first()
        found.append((what, count, error or ""))
    gone = col(GrantRow.status) == GrantStatus.DEAD
    count = (await session.exec(select(func.count()).select_from(GrantRow).where(gone))).one()
    error = (await session.exec(select(GrantRow.error).where(gone).order_by(col(GrantRow.changed_at).desc()).limit(1))).first()
    found.append(("grants", count, error or ""))
    return [line for line in found if line[1]]


async def held_up(session: AsyncSession, before: datetime) -> list[tuple[str, int, str]]:
    """Return what came in before ``before`` and still fails at each try, by kind and by what it says: how many; the most frequent first."""
    found: list[tuple[str, int, str]] = []
    for what, box, came in (
        ("deliveries and commands", InboxRow, col(InboxRow.received_at)),
        ("follow-up work", OutboxRow, col(OutboxRow.created_at)),
    ):
        query = select(box.error, func.count()).where(col(box.status) == WorkStatus.PENDING, col(box.error) != "", came <= before)
        grouped = query.group_by(col(box.error)).order_by(func.count().desc(), col(box.error)).limit(SENTENCES)
        found += [(what, count, error) for error, count in await session.exec(grouped)]
    return found


async def stopped(session: AsyncSession) -> Sequence[CommunityRow]:
    """Return the communities whose mass revocation waits for a person's word."""
    query = select(CommunityRow).where(col(CommunityRow.stopped_at).is_not(None)).order_by(col(CommunityRow.stopped_at))
    return (await session.exec(query)).all()


async def untold_creators(session: AsyncSession) -> list[tuple[str, int]]:
    """Return each community with notices to its creator that reached nobody, and how many."""
    query = (
        select(CommunityRow.name, OutboxRow.payload)
        .join(OutboxRow, col(OutboxRow.community_id) == col(CommunityRow.id))
        .where(col(OutboxRow.kind) == OutboxKind.NOTICE, col(OutboxRow.undelivered))
    )
    counts: dict[str, int] = {}
    for name, payload in await session.exec(query):
        if payload.get("kind") in FOR_CREATOR:
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts.items())
