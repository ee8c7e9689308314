"""What stands in rows and waits for a person."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.events import FOR_CREATOR
from storage.communities import CommunityRow
from storage.grants import GrantRow, GrantStatus
from storage.inbox import InboxRow, WorkStatus
from storage.outbox import OutboxKind, OutboxRow
from storage.spaces import SpaceRow


async def connected_spaces(session: AsyncSession) -> Sequence[SpaceRow]:
    """Return every space we are in, oldest first."""
    return (await session.exec(select(SpaceRow).where(col(SpaceRow.connected)).order_by(col(SpaceRow.created_at)))).all()


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
