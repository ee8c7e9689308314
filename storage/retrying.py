"""Grants that wait: for whom, and being tried again when what they wait for has come."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.backoff import backoff
from core.errors import Remedy
from core.ids import AccountId, MemberId, PlatformUserId, ResourceId, SpaceId
from core.people import Identity
from core.platform import Space
from storage.accounts import AccountRow
from storage.audit import Trail, record
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
_TO_PUT_OFF = select(GrantRow.id).where(*_HERE, col(GrantRow.due_at) < bindparam("until")).with_for_update(skip_locked=True)
"""What another is writing down an answer about right now is left to it: two who wait for each other's rows would both fail."""
_PUT_OFF = (
    update(GrantRow)
    .where(col(GrantRow.id).in_(_TO_PUT_OFF))
    .values(due_at=bindparam("until"), attempts=case((col(GrantRow.attempts) > 0, GrantRow.attempts), else_=1))
    .execution_options(synchronize_session=False)
)
LONGEST_REST = timedelta(minutes=1)
"""How long a space that gives no answer is left alone at the most, while something is due there."""


async def unblock_space(session: AsyncSession, space: SpaceRow, trail: Trail) -> None:
    """Try everything again that waits in a space."""
    there = select(ResourceRow.id).where(ResourceRow.space_id == space.id)
    await _again(session, GrantStatus.BLOCKED, col(GrantRow.resource_id).in_(there), trail, "the place is connected again", told=False)


async def unblock_resource(session: AsyncSession, resource: ResourceId, trail: Trail) -> None:
    """Try everything again that waits for the creator to mend a resource."""
    which = and_(col(GrantRow.resource_id) == resource, col(GrantRow.remedy) == Remedy.CREATOR)
    await _again(session, GrantStatus.BLOCKED, which, trail, "it can be given again", told=False)


async def hurry(session: AsyncSession, space: SpaceRow, trail: Trail) -> None:
    """Try at once what waits for its next attempt in a space: it answers again."""
    there = select(ResourceRow.id).where(ResourceRow.space_id == space.id)
    waiting = (col(GrantRow.status) == inline(GrantStatus.PENDING), col(GrantRow.attempts) > 0, col(GrantRow.due_at) > trail.at)
    await session.execute(update(GrantRow).where(col(GrantRow.resource_id).in_(there), *waiting).values(due_at=trail.at))
    will_wake(session, space.lane)


async def put_off(session: AsyncSession, space: SpaceRow, now: datetime) -> None:
    """Let all that is due in a space wait: it gives no answer. Each of a thousand would find that out alone, and hold up other spaces."""
    tried = (await session.execute(_TRIED, {"space": space.id})).scalar() or 1
    until = now + min(backoff(tried, 1.0), LONGEST_REST)
    await session.execute(_PUT_OFF, {"space": space.id, "until": until})


async def another_way(session: AsyncSession, member: MemberId, trail: Trail) -> None:
    """Look for another way in for somebody who waits outside without an invite that is still good."""
    which = and_(col(GrantRow.member_id) == member, col(GrantRow.remedy) == Remedy.MEMBER, col(GrantRow.invited_at).is_(None))
    await _again(session, GrantStatus.BLOCKED, which, trail, "another way in is looked for")


async def revive(session: AsyncSession, trail: Trail) -> None:
    """Take up what was given up: whoever starts the program again may have mended what was wrong."""
    await _again(session, GrantStatus.DEAD, col(GrantRow.id).is_not(None), trail, "the program was started again")


async def waits_for_creator(session: AsyncSession, resource: ResourceId) -> bool:
    """Return whether somebody waits for a creator to mend a resource."""
    query = select(GrantRow.id).where(
        GrantRow.resource_id == resource, col(GrantRow.status) == inline(GrantStatus.BLOCKED), col(GrantRow.remedy) == Remedy.CREATOR
    )
    return (await session.exec(query.limit(1))).first() is not None


async def waiting_for(session: AsyncSession, space: Space, user: PlatformUserId) -> bool:
    """Return whether something waits for a person to come into a space."""
    whom = {"user": user, "platform": space.platform, "realm": space.realm, "space": space.external_id}
    return (await session.exec(_WAITING_FOR, params=whom)).first() is not None


async def knock_again(session: AsyncSession, who: Identity, trail: Trail) -> None:
    """Try to bring somebody in again wherever they wait outside: they have just given us what it takes."""
    accounts = select(AccountRow.id).where(
        AccountRow.platform == who.platform, AccountRow.realm == who.realm, AccountRow.external_id == who.user
    )
    which = and_(col(GrantRow.account_id).in_(accounts), col(GrantRow.remedy) == Remedy.MEMBER)
    await _again(session, GrantStatus.BLOCKED, which, trail, "they signed in", invited_at=None)


async def waits_elsewhere(session: AsyncSession, account: AccountId, space: SpaceId) -> bool:
    """Return whether an account is still to be let into another space."""
    query = (
        select(GrantRow.id)
        .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
        .where(GrantRow.account_id == account, GrantRow.wanted, ResourceRow.space_id != space, col(GrantRow.status) != GrantStatus.DONE)
    )
    return (await session.exec(query.limit(1))).first() is not None


async def _again(
    session: AsyncSession,
    stands: GrantStatus,
    which: ColumnElement[bool],
    trail: Trail,
    why: str,
    **changes: Any,  # noqa: ANN401
) -> None:
    to = {"status": GrantStatus.PENDING, "due_at": trail.at, "attempts": 0, **changes}
    changed = update(GrantRow).where(which, col(GrantRow.status) == inline(stands)).values(to)
    told = changed.returning(col(GrantRow.id), col(GrantRow.community_id), col(GrantRow.member_id), col(GrantRow.lane))
    for grant, community, member, lane in (await session.execute(told)).all():
        record(session, trail, community, "grant.retried", ("grant", grant), member=member,
               before={"status": str(stands)}, after={"status": str(GrantStatus.PENDING)}, answer=why)  # fmt: skip
        will_wake(session, lane)
