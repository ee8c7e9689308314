"""Who asks to be let in where the creator decides before anybody pays."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Text, UniqueConstraint, bindparam
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import AccountId, ApplicationId, CommunityId, MemberId, PlanId
from storage.types import UTCDateTime, owned, scoped


class ApplicationState(StrEnum):
    """What the creator said."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class ApplicationRow(SQLModel, table=True):
    """One member who asks for one plan; asking again later is the same row."""

    __tablename__ = "applications"
    __table_args__ = (
        owned("applications"),
        scoped("applications", "plan_id", "plans"),
        scoped("applications", "member_id", "members"),
        scoped("applications", "account_id", "accounts"),
        UniqueConstraint("plan_id", "member_id", name="uq_applications_member"),
    )

    id: ApplicationId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    plan_id: PlanId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    account_id: AccountId = Field(sa_type=Text)
    state: ApplicationState = Field(default=ApplicationState.WAITING, sa_type=Text)
    asked_at: datetime = Field(sa_type=UTCDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


_OF_MEMBER = select(ApplicationRow).where(ApplicationRow.plan_id == bindparam("plan"), ApplicationRow.member_id == bindparam("member"))


async def of_member(session: AsyncSession, plan: PlanId, member: MemberId) -> ApplicationRow | None:
    """Return a member's application for a plan."""
    return (await session.exec(_OF_MEMBER, params={"plan": plan, "member": member})).first()


async def waiting(session: AsyncSession, community: CommunityId, limit: int) -> Sequence[ApplicationRow]:
    """Return who waits for the creator's word, the longest first."""
    query = select(ApplicationRow).where(ApplicationRow.community_id == community, col(ApplicationRow.state) == ApplicationState.WAITING)
    return (await session.exec(query.order_by(col(ApplicationRow.asked_at)).limit(limit))).all()
