"""Whom a notice can reach, and what could not be delivered."""

from collections.abc import Sequence

from sqlalchemy import bindparam, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, SpaceId
from storage.accounts import AccountRow
from storage.communities import CommunityRow
from storage.outbox import OutboxKind, OutboxRow
from storage.spaces import SpaceRow

_SEATS = (
    select(SpaceRow, AccountRow)
    .join(AccountRow, col(AccountRow.community_id) == col(SpaceRow.community_id))
    .where(
        AccountRow.member_id == bindparam("member"),
        col(AccountRow.active),
        AccountRow.platform == SpaceRow.platform,
        AccountRow.realm == SpaceRow.realm,
        col(SpaceRow.connected),
    )
    .order_by(col(SpaceRow.created_at))
)


async def seats(session: AsyncSession, member: MemberId) -> Sequence[tuple[SpaceRow, AccountRow]]:
    """Return a member's active accounts, each with one connected space we can speak to them from."""
    first: dict[str, tuple[SpaceRow, AccountRow]] = {}
    for space, account in await session.exec(_SEATS, params={"member": member}):
        first.setdefault(account.id, (space, account))
    return list(first.values())


async def community(session: AsyncSession, community_id: CommunityId) -> CommunityRow:
    """Return a community that is there."""
    return await session.get_one(CommunityRow, community_id)


async def creator_space(session: AsyncSession, row: CommunityRow, space: str) -> SpaceRow | None:
    """Return where the creator is told: where the notice channel is, else the space it is about, else the first."""
    for wanted in (row.notice_space_id, SpaceId(space)):
        found = await session.get(SpaceRow, wanted) if wanted else None
        if found is not None and found.community_id == row.id:
            return found
    query = select(SpaceRow).where(SpaceRow.community_id == row.id).order_by(col(SpaceRow.connected).desc(), col(SpaceRow.created_at))
    return (await session.exec(query)).first()


async def undelivered(session: AsyncSession, community_id: CommunityId, member: MemberId, limit: int = 5) -> Sequence[OutboxRow]:
    """Return the latest notices to a member that did not reach them, newest first."""
    query = select(OutboxRow).where(
        OutboxRow.community_id == community_id,
        OutboxRow.subject == member,
        col(OutboxRow.kind) == OutboxKind.NOTICE,
        col(OutboxRow.undelivered),
    )
    return (await session.exec(query.order_by(col(OutboxRow.created_at).desc()).limit(limit))).all()


async def keep(session: AsyncSession, rows: Sequence[str]) -> None:
    """Keep notices that were given up, to be shown where whom they are for will look."""
    await session.execute(update(OutboxRow).where(col(OutboxRow.id).in_(rows)).values(undelivered=True))
