"""What it takes to have a space change its community."""

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, SpaceId
from storage.inbox import WorkStatus
from storage.members import MemberRow
from storage.outbox import OutboxRow
from storage.plans import PlanRow
from storage.spaces import SpaceRow
from storage.states import StateRow


async def drop_codes(session: AsyncSession, purpose: str, subject: str) -> None:
    """Delete every code that was made for a purpose and a subject."""
    await session.execute(delete(StateRow).where(col(StateRow.purpose) == purpose, col(StateRow.subject) == subject))


async def hold(session: AsyncSession, space: SpaceId) -> SpaceRow:
    """Return a space as it is now, held against other writers until this transaction ends."""
    return await session.get_one(SpaceRow, space, with_for_update=True, populate_existing=True)


async def has_business(session: AsyncSession, community: CommunityId) -> bool:
    """Say whether a community has plans, archived ones too, or members: rows that cannot change their community."""
    for row in (PlanRow, MemberRow):
        if (await session.exec(select(row.id).where(row.community_id == community).limit(1))).first() is not None:
            return True
    return False


async def move(session: AsyncSession, row: SpaceRow, community: CommunityId) -> bool:
    """Give a space to another community, with what its creator is still to be told; returns whether the old one has none left."""
    before, row.community_id = row.community_id, community
    session.add(row)
    await session.flush()
    if (await session.exec(select(SpaceRow.id).where(SpaceRow.community_id == before).limit(1))).first() is not None:
        return False
    untold = (col(OutboxRow.community_id) == before, col(OutboxRow.status) == WorkStatus.PENDING)
    await session.execute(update(OutboxRow).where(*untold).values(community_id=community))
    return True
