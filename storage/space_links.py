"""The creator's own shared link into a space: kept, counted, and watched before it stops working."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, update
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, ResourceId
from core.platform import Space
from storage.accounts import AccountRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow

LIVES = timedelta(days=30)
TAKES = 400
"""A shared link lets people in for so long and so many times, wherever such links end by themselves."""
WARN_AFTER = timedelta(days=25)
WARN_AT = 350
"""From then on its creator is told: a new one must be there before anybody who paid finds the old one dead."""


_OLD = or_(col(SpaceRow.invite_link_set_at) <= bindparam("old"), col(SpaceRow.invite_link_uses) >= WARN_AT)
_WORN = (
    select(SpaceRow)
    .where(col(SpaceRow.invite_link) != "", ~col(SpaceRow.invite_link_told), col(SpaceRow.connected).is_(True), _OLD)
    .order_by(SpaceRow.id)
    .limit(bindparam("limit", type_=Integer))
)


async def worn_out(session: AsyncSession, now: datetime, limit: int) -> Sequence[SpaceRow]:
    """Return spaces whose link is about to stop working and whose creator has not been told."""
    return (await session.exec(_WORN, params={"old": now - WARN_AFTER, "limit": limit})).all()


async def count_join(session: AsyncSession, space: Space, at: datetime) -> None:
    """Count somebody who came into a space since its link was given, in SQL, so that two at once both count."""
    there = (col(SpaceRow.platform) == space.platform, col(SpaceRow.realm) == space.realm, col(SpaceRow.external_id) == space.external_id)
    since = (col(SpaceRow.invite_link) != "", col(SpaceRow.invite_link_set_at) <= at)
    await session.execute(update(SpaceRow).where(*there, *since).values(invite_link_uses=SpaceRow.invite_link_uses + 1))


async def without_account(
    session: AsyncSession, community: CommunityId, member: MemberId, opened: Collection[ResourceId] | None = None
) -> Sequence[SpaceRow]:
    """Return the connected spaces where a member has no account, oldest first: all of them, or those where one of ``opened`` is."""
    theirs = select(AccountRow.id).where(
        AccountRow.member_id == member, AccountRow.platform == SpaceRow.platform, AccountRow.realm == SpaceRow.realm
    )
    query = select(SpaceRow).where(SpaceRow.community_id == community, col(SpaceRow.connected), ~theirs.exists())
    if opened is not None:
        there = select(ResourceRow.id).where(ResourceRow.space_id == SpaceRow.id, col(ResourceRow.id).in_(opened))
        query = query.where(there.exists())
    return (await session.exec(query.order_by(col(SpaceRow.created_at), col(SpaceRow.id)))).all()
