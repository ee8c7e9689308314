"""How far the changes on platforms are: what is left of them, and what was done lately."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, SpaceId
from storage.audit import AuditRow
from storage.grants import GrantRow, GrantStatus
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.types import inline

SETTLED = tuple(f"grant.{how}" for how in ("granted", "revoked", "unknown", "blocked", "dead"))
"""What the audit calls a change that is left no longer."""


@dataclass(frozen=True, slots=True)
class Left:
    """What waits in a space, since when, and what one that failed says; empty when none did."""

    community: CommunityId
    space: SpaceId
    name: str
    gains: int
    losses: int
    since: datetime
    error: str


async def left(session: AsyncSession, community: CommunityId | None, most: int) -> list[Left]:
    """Return the spaces, of one community or all, where something is left, those with most of it first."""
    gains = func.sum(case((col(GrantRow.wanted), 1), else_=0))
    query = (
        select(
            col(SpaceRow.community_id), col(SpaceRow.id), col(SpaceRow.name), gains, func.count() - gains,
            func.min(col(GrantRow.changed_at)), func.max(col(GrantRow.error)),
        )
        .select_from(GrantRow)
        .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
        .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
        .where(col(GrantRow.status) == inline(GrantStatus.PENDING))
        .group_by(col(SpaceRow.community_id), col(SpaceRow.id), col(SpaceRow.name))
        .order_by(func.count().desc(), col(SpaceRow.id))
        .limit(most)
    )  # fmt: skip
    if community is not None:
        query = query.where(col(GrantRow.community_id) == community)
    return [Left(*row) for row in await session.execute(query)]


async def moved(
    session: AsyncSession, communities: Collection[CommunityId], spaces: Sequence[SpaceId], since: datetime
) -> dict[SpaceId, tuple[int, datetime]]:
    """Return how many changes were settled after ``since`` in each of some spaces, and when the first of them was."""
    query = (
        select(col(ResourceRow.space_id), func.count(), func.min(col(AuditRow.at)))
        .select_from(AuditRow)
        .join(GrantRow, col(GrantRow.id) == col(AuditRow.subject_id))
        .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
        .where(col(AuditRow.community_id).in_(communities), col(AuditRow.at) > since, col(AuditRow.action).in_(SETTLED))
        .where(col(ResourceRow.space_id).in_(spaces))
        .group_by(col(ResourceRow.space_id))
    )
    return {space: (count, first) for space, count, first in await session.execute(query)}
