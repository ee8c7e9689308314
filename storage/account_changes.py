"""Which account of a member took the place of which, and when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, Integer, Text, bindparam, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import AccountId, ChangeId, CommunityId, MemberId, PlatformName
from storage.grants import GrantRow, GrantStatus
from storage.types import UTCDateTime, inline, scoped

_UNDER_WAY = text("done_at IS NULL")


class AccountChangeRow(SQLModel, table=True):
    """One change of account on a seat: a member in a (platform, realm). The new one waits until the old one holds nothing of ours."""

    __tablename__ = "account_changes"
    __table_args__ = (
        scoped("account_changes", "member_id", "members"),
        scoped("account_changes", "old_id", "accounts"),
        scoped("account_changes", "new_id", "accounts"),
        Index(
            "uq_account_changes_under_way",
            "member_id",
            "platform",
            "realm",
            unique=True,
            sqlite_where=_UNDER_WAY,
            postgresql_where=_UNDER_WAY,
        ),
        Index("ix_account_changes_member_id", "member_id", "at"),
    )

    id: ChangeId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    member_id: MemberId = Field(sa_type=Text)
    platform: PlatformName = Field(sa_type=Text)
    realm: str = ""
    old_id: AccountId = Field(sa_type=Text)
    new_id: AccountId = Field(sa_type=Text)
    at: datetime = Field(sa_type=UTCDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the old account had been stripped and the new one took its place; None while it waits."""


_WAITING = select(AccountChangeRow).where(AccountChangeRow.member_id == bindparam("member"), col(AccountChangeRow.done_at).is_(None))
_HELD = _WAITING.with_for_update(key_share=True)
_OPEN = select(GrantRow.id).where(
    GrantRow.account_id == AccountChangeRow.old_id, col(GrantRow.wanted) | (col(GrantRow.status) != inline(GrantStatus.DONE))
)
_READY = (
    select(AccountChangeRow)
    .where(col(AccountChangeRow.done_at).is_(None), ~_OPEN.exists())
    .order_by(col(AccountChangeRow.at))
    .limit(bindparam("limit", type_=Integer))
)


async def under_way(session: AsyncSession, member: MemberId, *, hold: bool = False) -> Sequence[AccountChangeRow]:
    """Return a member's changes that wait for an old account to be stripped; with ``hold``, kept from other writers."""
    return (await session.exec(_HELD if hold else _WAITING, params={"member": member})).all()


async def moments(session: AsyncSession, member: MemberId, platform: PlatformName, realm: str, since: datetime) -> Sequence[datetime]:
    """Return when a member changed their account on a platform and realm since ``since``, oldest first."""
    query = select(AccountChangeRow.at).where(
        AccountChangeRow.member_id == member,
        AccountChangeRow.platform == platform,
        AccountChangeRow.realm == realm,
        AccountChangeRow.at > since,
    )
    return (await session.exec(query.order_by(col(AccountChangeRow.at)))).all()


async def stripped(session: AsyncSession, account: AccountId) -> bool:
    """Return whether the platform has said of everything we gave an account that it is gone."""
    held = (GrantRow.account_id == account, col(GrantRow.wanted) | (col(GrantRow.status) != inline(GrantStatus.DONE)))
    return (await session.exec(select(GrantRow.id).where(*held).limit(1))).first() is None


async def ready(session: AsyncSession, limit: int) -> Sequence[AccountChangeRow]:
    """Return changes that wait for nothing any more, oldest first."""
    return (await session.exec(_READY, params={"limit": limit})).all()
