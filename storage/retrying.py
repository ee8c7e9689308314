"""Grants that wait: for whom, and being tried again when what they wait for has come."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, case, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.backoff import backoff
from core.errors import Remedy
from core.ids import AccountId, PlatformUserId, ResourceId, SpaceId
from core.people import Identity
from core.platform import Space
from storage.accounts import AccountRow
from storage.database import will_wake
from storage.grants import GrantRow, GrantStatus
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.types import inline

_WAITING_FOR = (
    select(GrantRow.id)
    .join(AccountRow, col(AccountRow.id) == col(GrantRow.account_id))
    .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
    .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
    .where(
        AccountRow.external_id == bindparam("user"),
        AccountRow.platform == bindparam("platform"),
        AccountRow.realm == bindparam("realm"),
        SpaceRow.external_id == bindparam("space"),
        col(GrantRow.status) == inline(GrantStatus.BLOCKED),
        col(GrantRow.remedy) == Remedy.MEMBER,
    )
    .limit(1)
)
_HERE = (
    col(GrantRow.resource_id).in_(select(ResourceRow.id).where(ResourceRow.space_id == bindparam("space"))),
    col(GrantRow.status) == inline(GrantStatus.PENDING),
)
_TRIED = select(func.max(GrantRow.attempts)).where(*_HERE)
_PUT_OFF = (
    update(GrantRow)
    .where(*_HERE, col(GrantRow.due_at) < bindparam("until"))
    .values(due_at=bindparam("until"), attempts=case((col(GrantRow.attempts) > 0, GrantRow.attempts), else_=1))
    .execution_options(synchronize_session=False)
)
LONGEST_REST = timedelta(minutes=1)
"""How long a space that gives no answer is left alone at the most, while something is due there."""


async def unblock_space(session: AsyncSession, space: SpaceRow, now: datetime) -> None:
    """Try everything again that waits in a space."""
    waiting = select(ResourceRow.id).where(ResourceRow.space_id == space.id)
    await _unblock(session, space, col(GrantRow.resource_id).in_(waiting), now)


async def unblock_resource(session: AsyncSession, space: SpaceRow, resource: ResourceId, now: datetime) -> None:
    """Try everything again that waits for the creator to mend a resource."""
    await _unblock(session, space, and_(col(GrantRow.resource_id) == resource, col(GrantRow.remedy) == Remedy.CREATOR), now)


async def hurry(session: AsyncSession, space: SpaceRow, now: datetime) -> None:
    """Try at once what waits for its next attempt in a space: it answers again."""
    there = select(ResourceRow.id).where(ResourceRow.space_id == space.id)
    waiting = (col(GrantRow.status) == inline(GrantStatus.PENDING), col(GrantRow.attempts) > 0, col(GrantRow.due_at) > now)
    await session.execute(update(GrantRow).where(col(GrantRow.resource_id).in_(there), *waiting).values(due_at=now))
    will_wake(session, space.lane)


async def put_off(session: AsyncSession, space: SpaceRow, now: datetime) -> None:
    """Let all that is due in a space wait: it gives no answer. Each of a thousand would find that out alone, and hold up other spaces."""
    tried = (await session.execute(_TRIED, {"space": space.id})).scalar() or 1
    until = now + min(backoff(tried, 1.0), LONGEST_REST)
    await session.execute(_PUT_OFF, {"space": space.id, "until": until})


async def revive(session: AsyncSession, now: datetime) -> None:
    """Take up what was given up: whoever starts the program again may have mended what was wrong."""
    again = {"status": GrantStatus.PENDING, "due_at": now, "attempts": 0}
    dead = update(GrantRow).where(col(GrantRow.status) == GrantStatus.DEAD).values(again).returning(col(GrantRow.lane))
    for lane in set((await session.execute(dead)).scalars()):
        will_wake(session, lane)


async def waits_for_creator(session: AsyncSession, resource: ResourceId) -> bool:
    """Return whether somebody waits for a creator to mend a resource."""
    query = select(GrantRow.id).where(
        GrantRow.resource_id == resource, col(GrantRow.status) == inline(GrantStatus.BLOCKED), col(GrantRow.remedy) == Remedy.CREATOR
    )
    return (await session.exec(query.limit(1))).first() is not None


async def _unblock(session: AsyncSession, space: SpaceRow, which: ColumnElement[bool], now: datetime) -> None:
    await session.execute(
        update(GrantRow)
        .where(which, col(GrantRow.status) == inline(GrantStatus.BLOCKED))
        .values(status=GrantStatus.PENDING, due_at=now, attempts=0, told=False)
    )
    will_wake(session, space.lane)


async def waiting_for(session: AsyncSession, space: Space, user: PlatformUserId) -> bool:
    """Return whether something waits for a person to come into a space."""
    whom = {"user": user, "platform": space.platform, "realm": space.realm, "space": space.external_id}
    return (await session.exec(_WAITING_FOR, params=whom)).first() is not None


async def knock_again(session: AsyncSession, who: Identity, now: datetime) -> None:
    """Try to bring somebody in again wherever they wait outside: they have just given us what it takes."""
    accounts = select(AccountRow.id).where(
        AccountRow.platform == who.platform, AccountRow.realm == who.realm, AccountRow.external_id == who.user
    )
    waiting = (col(GrantRow.status) == inline(GrantStatus.BLOCKED), col(GrantRow.remedy) == Remedy.MEMBER)
    again = {"status": GrantStatus.PENDING, "due_at": now, "attempts": 0, "invited_at": None}
    changed = update(GrantRow).where(col(GrantRow.account_id).in_(accounts), *waiting).values(again).returning(col(GrantRow.lane))
    for lane in set((await session.execute(changed)).scalars()):
        will_wake(session, lane)


async def waits_elsewhere(session: AsyncSession, account: AccountId, space: SpaceId) -> bool:
    """Return whether an account is still to be let into another space."""
    query = (
        select(GrantRow.id)
        .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
        .where(GrantRow.account_id == account, GrantRow.wanted, ResourceRow.space_id != space, col(GrantRow.status) != GrantStatus.DONE)
    )
    return (await session.exec(query.limit(1))).first() is not None
