"""What it takes to have an account belong to somebody else: whose it is, and what its member has of their own."""

from collections.abc import Sequence

from sqlmodel import SQLModel, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, PlatformName
from core.people import Identity
from storage.account_changes import AccountChangeRow
from storage.accounts import AccountRow
from storage.applications import ApplicationRow
from storage.entitlements import EntitlementRow
from storage.gifts import GiftRow
from storage.grants import GrantRow
from storage.orders import OrderRow
from storage.spaces import SpaceRow
from storage.subscriptions import SubscriptionRow
from storage.tips import TipRow
from storage.waitlist_entries import WaitlistEntryRow

_BUSINESS: tuple[type[SQLModel], ...] = (
    OrderRow, SubscriptionRow, EntitlementRow, TipRow, GrantRow, AccountChangeRow, GiftRow, WaitlistEntryRow, ApplicationRow,
)  # fmt: skip


async def hold(session: AsyncSession, community: CommunityId, who: Identity, member: MemberId) -> Sequence[AccountRow]:
    """Return somebody's account, if there is one, and all of a member's, held against other writers until this transaction ends.

    All in one order, and before any member: whoever opens a checkout holds an account and then its member.
    """
    theirs = (AccountRow.platform == who.platform) & (AccountRow.realm == who.realm) & (AccountRow.external_id == who.user)
    query = select(AccountRow).where(AccountRow.community_id == community, or_(theirs, AccountRow.member_id == member))
    held = query.order_by(col(AccountRow.id)).with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await session.exec(held)).all()


async def has_business(session: AsyncSession, community: CommunityId, member: MemberId) -> bool:
    """Say whether a member has bought, tipped, held or changed anything: rows that cannot go to somebody else."""
    for row in _BUSINESS:
        columns = row.__table__.c  # type: ignore[attr-defined]
        query = select(columns.id).where(columns.community_id == community, columns.member_id == member).limit(1)
        if (await session.execute(query)).first() is not None:
            return True
    return False


async def spaces_of(session: AsyncSession, community: CommunityId) -> Sequence[SpaceRow]:
    """Return the connected spaces of a community, oldest first."""
    query = (
        select(SpaceRow)
        .where(SpaceRow.community_id == community, col(SpaceRow.connected))
        .order_by(col(SpaceRow.created_at), col(SpaceRow.name))
    )
    return (await session.exec(query)).all()


async def is_here(session: AsyncSession, community: CommunityId, platform: PlatformName, realm: str) -> bool:
    """Say whether people of a platform and realm can be in any space of a community."""
    query = select(SpaceRow.id).where(SpaceRow.community_id == community, SpaceRow.platform == platform, SpaceRow.realm == realm)
    return (await session.exec(query.limit(1))).first() is not None
