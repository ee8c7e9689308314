"""Paid invite links."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, Text, bindparam, text, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, InviteId, PlanId, PlatformName, PlatformUserId
from core.offer import LinkFacts
from storage.communities import CommunityRow
from storage.plans import PlanRow, PlanStatus, PlanView, view
from storage.types import UTCDateTime, owned, scoped

_EXPIRING = text("expires_at IS NOT NULL AND ended_at IS NULL")


class InviteRow(SQLModel, table=True):
    """A link that sells one plan, to anyone or to one account."""

    __tablename__ = "invites"
    __table_args__ = (
        owned("invites"),
        scoped("invites", "plan_id", "plans"),
        Index("ix_invites_expires_at", "expires_at", sqlite_where=_EXPIRING, postgresql_where=_EXPIRING),
        Index("ix_invites_community_id", "community_id", "created_at"),
    )

    id: InviteId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    plan_id: PlanId = Field(sa_type=Text)
    code: str = Field(unique=True)
    """What the address ends in; meant to be shared, it proves nothing about who holds it."""
    max_uses: int | None = None
    uses: int = 0
    """How many have paid through it."""
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    bound_platform: PlatformName | None = Field(default=None, sa_type=Text)
    bound_realm: str = ""
    bound_user: PlatformUserId | None = Field(default=None, sa_type=Text)
    """The one account that may use it, without proving itself again; None for anyone."""
    bound_name: str = ""
    tag: str = ""
    """The creator's own word for where the link was posted."""
    personal: bool = False
    """Made by a member for themselves; not shown in the creator's list."""
    created_by: PlatformUserId = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the sweep saw that its time was over."""


@dataclass(frozen=True, slots=True)
class InviteFacts:
    """A link with its plan and community, and what decides whether it sells."""

    invite: InviteRow
    plan: PlanView
    community: CommunityRow
    link: LinkFacts


_BY_CODE = (
    select(InviteRow, PlanRow, CommunityRow)
    .join(PlanRow, col(PlanRow.id) == col(InviteRow.plan_id))
    .join(CommunityRow, col(CommunityRow.id) == col(InviteRow.community_id))
    .where(InviteRow.code == bindparam("code"))
)


async def look(session: AsyncSession, code: str) -> InviteFacts | None:
    """Find a link by its code, with everything that decides whether it sells."""
    found = (await session.exec(_BY_CODE, params={"code": code})).first()
    if found is None:
        return None
    invite, plan_row, community = found
    plan = await view(session, plan_row)
    link = LinkFacts(
        revoked=invite.revoked_at is not None,
        expires_at=invite.expires_at,
        max_uses=invite.max_uses,
        uses=invite.uses,
        plan_name=plan.name,
        plan_active=plan.status == PlanStatus.ACTIVE,
        problem=plan.problem,
        community_name=community.name,
    )
    return InviteFacts(invite, plan, community, link)


async def count_use(session: AsyncSession, invite: InviteId) -> None:
    """Count one payment through a link, in SQL, so that two at once both count."""
    await session.execute(update(InviteRow).where(col(InviteRow.id) == invite).values(uses=InviteRow.uses + 1))


async def listing(session: AsyncSession, community: CommunityId, limit: int = 25) -> Sequence[InviteRow]:
    """Return a community's links, newest first, without those members made for themselves."""
    query = select(InviteRow).where(InviteRow.community_id == community, col(InviteRow.personal).is_(False))
    return (await session.exec(query.order_by(col(InviteRow.created_at).desc()).limit(limit))).all()


async def plans_of(session: AsyncSession, community: CommunityId) -> Sequence[PlanRow]:
    """Return every plan of a community, oldest first, archived ones too: old links name them."""
    query = select(PlanRow).where(PlanRow.community_id == community)
    return (await session.exec(query.order_by(col(PlanRow.created_at), col(PlanRow.id)))).all()
