"""Who a member is on a platform."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, bindparam, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import AccountId, CommunityId, Ids, MemberId, PlatformName, PlatformUserId
from core.people import Identity
from storage.members import MemberRow
from storage.spaces import SpaceRow
from storage.types import UTCDateTime, owned, scoped
from storage.upsert import insert

_ACTIVE = text("active")


class AccountRow(SQLModel, table=True):
    """One account. At most one active account per member and (platform, realm)."""

    __tablename__ = "accounts"
    __table_args__ = (
        owned("accounts"),
        scoped("accounts", "member_id", "members"),
        UniqueConstraint("community_id", "platform", "realm", "external_id", name="uq_accounts_external"),
        Index("uq_accounts_active", "member_id", "platform", "realm", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
    )

    id: AccountId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    platform: PlatformName = Field(sa_type=Text)
    realm: str = ""
    external_id: PlatformUserId = Field(sa_type=Text)
    name: str
    """As the platform last showed it; never trusted for anything but showing, escaped."""
    active: bool = True
    created_at: datetime = Field(sa_type=UTCDateTime)

    @property
    def identity(self) -> Identity:
        """The account as others know it."""
        return Identity(self.platform, self.realm, self.external_id, self.name)


_FIND = select(AccountRow).where(
    AccountRow.community_id == bindparam("community"),
    AccountRow.platform == bindparam("platform"),
    AccountRow.realm == bindparam("realm"),
    AccountRow.external_id == bindparam("user"),
)
_HOLD = _FIND.with_for_update(key_share=True)
_ACTIVE_OF_MEMBER = select(AccountRow).where(AccountRow.member_id == bindparam("member"), col(AccountRow.active))


async def find(session: AsyncSession, community: CommunityId, who: Identity, *, hold: bool = False) -> AccountRow | None:
    """Find somebody's account in a community; with ``hold`` it stays whose it is until this transaction ends."""
    whose = {"community": community, "platform": who.platform, "realm": who.realm, "user": who.user}
    return (await session.exec(_HOLD if hold else _FIND, params=whose)).first()


async def ensure(session: AsyncSession, community: CommunityId, who: Identity, ids: Ids, now: datetime) -> AccountRow:
    """Return somebody's account, making account and member when they are new. A race is lost to the unique key and read again.

    It is held: what is bought for it in this transaction is not bought for a member it has just left.
    """
    known = await find(session, community, who, hold=True)
    if known is not None:
        if who.name and known.name != who.name:
            known.name = who.name
            session.add(known)
        return known
    member = MemberRow(id=MemberId(ids.new()), community_id=community, created_at=now)
    session.add(member)
    await session.flush()
    if not await add(session, community, member.id, who, ids, now):  # somebody else made it between the look and the write
        await session.delete(member)
    found = await find(session, community, who, hold=True)
    if found is None:
        raise RuntimeError("an account that was just stored is not there")
    return found


async def add(
    session: AsyncSession, community: CommunityId, member: MemberId, who: Identity, ids: Ids, now: datetime, *, active: bool = True
) -> bool:
    """Store an account of a member; False, and nothing stored, when somebody has just stored it."""
    account = AccountRow(
        id=AccountId(ids.new()),
        community_id=community,
        member_id=member,
        platform=who.platform,
        realm=who.realm,
        external_id=who.user,
        name=who.name or who.user,
        active=active,
        created_at=now,
    )
    statement = insert(session, AccountRow).values(account.model_dump()).on_conflict_do_nothing().returning(col(AccountRow.id))
    return (await session.execute(statement)).first() is not None


async def active_of_member(session: AsyncSession, member: MemberId) -> Sequence[AccountRow]:
    """Return a member's active accounts."""
    return (await session.exec(_ACTIVE_OF_MEMBER, params={"member": member})).all()


async def of_member_in(session: AsyncSession, member: MemberId, space: SpaceRow) -> AccountRow | None:
    """Return the account a member has where a space is."""
    query = select(AccountRow).where(
        AccountRow.member_id == member, AccountRow.platform == space.platform, AccountRow.realm == space.realm, col(AccountRow.active)
    )
    return (await session.exec(query)).first()
