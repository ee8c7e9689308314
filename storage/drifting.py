"""Which grants to compare with the platform, which spaces to look at again, and what is written of it."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Boolean, ColumnElement, Integer, bindparam, literal_column, update
from sqlmodel import col, select

from core.errors import Remedy
from core.ids import AccountId, PlatformName, SpaceId
from storage.accounts import AccountRow
from storage.database import Session
from storage.grants import GrantRow, GrantStatus
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.types import inline

EXPECTED = timedelta(days=7)
"""How long somebody who was let in but has not come is looked for more often."""
_BLOCKED = col(GrantRow.status) == inline(GrantStatus.BLOCKED)
_WANTED = literal_column("grants.wanted", Boolean())
"""As in the partial index: SQLAlchemy would write ``wanted = 1`` for SQLite, which then does not see that they are the same."""
_FOR_CREATOR = (_BLOCKED, col(GrantRow.remedy) == Remedy.CREATOR)


def settled() -> ColumnElement[bool]:
    """Grants the drain has no work with and that only the platform can tell more about: given, or waiting for the member."""
    waits = (col(GrantRow.status) == GrantStatus.BLOCKED) & (col(GrantRow.remedy) == Remedy.MEMBER)
    return _WANTED & ((col(GrantRow.status) == GrantStatus.DONE) | waits)


_UNSEEN = col(GrantRow.checked_at).is_(None)
_EXPECTED = _BLOCKED & (col(GrantRow.changed_at) > bindparam("lately"))
_SEATS = tuple(
    select(AccountRow, SpaceRow)
    .select_from(GrantRow)
    .join(AccountRow, col(AccountRow.id) == col(GrantRow.account_id))
    .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
    .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
    .where(settled(), AccountRow.active, SpaceRow.connected, asked)
    .where(col(SpaceRow.platform).in_(bindparam("platforms", expanding=True)))
    .where(col(SpaceRow.id).not_in(bindparam("without", expanding=True)))
    .order_by(col(GrantRow.checked_at), col(GrantRow.id))
    .limit(bindparam("share", type_=Integer))
    for asked in (_UNSEEN, _EXPECTED, ~_UNSEEN)
)
_GRANTS_OF = (
    select(GrantRow, ResourceRow)
    .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
    .where(settled(), col(GrantRow.account_id) == bindparam("account"), col(ResourceRow.space_id) == bindparam("space"))
    .with_for_update(of=GrantRow)
)
_WAITING = (
    select(ResourceRow.space_id)
    .join(GrantRow, col(GrantRow.resource_id) == col(ResourceRow.id))
    .where(*_FOR_CREATOR, col(GrantRow.due_at) <= bindparam("now"))
)
_TO_PROBE = select(SpaceRow).where(col(SpaceRow.id).in_(_WAITING), SpaceRow.connected).order_by(SpaceRow.id)


async def seats(
    session: Session, platforms: Collection[PlatformName], without: Collection[SpaceId], limit: int, now: datetime
) -> list[tuple[AccountRow, SpaceRow]]:
    """Return who to look for where.

    First those the platform never told us about; then, for at most half of the rest, those who were to come in of late; then those it
    told us about longest ago.
    """
    found: dict[tuple[AccountId, SpaceId], tuple[AccountRow, SpaceRow]] = {}
    where = {"platforms": list(platforms), "without": list(without), "lately": now - EXPECTED}
    for query, share in zip(_SEATS, (limit, limit // 2, limit), strict=True):
        for account, space in await session.exec(query, params={**where, "share": share}):
            found.setdefault((account.id, space.id), (account, space))
    return list(found.values())[:limit]


async def grants_of(session: Session, account: AccountId, space: SpaceId) -> list[tuple[GrantRow, ResourceRow]]:
    """Return an account's settled grants in a space, held against other writers until this transaction ends."""
    return list((await session.exec(_GRANTS_OF, params={"account": account, "space": space})).all())


async def to_probe(session: Session, now: datetime) -> list[SpaceRow]:
    """Return the spaces where grants wait for the creator and whose hour is over."""
    return list((await session.exec(_TO_PROBE, params={"now": now})).all())


async def probe_at(session: Session, space: SpaceId, moment: datetime) -> None:
    """Say when a space is to be looked at again."""
    there = select(ResourceRow.id).where(ResourceRow.space_id == space)
    await session.execute(update(GrantRow).where(*_FOR_CREATOR, col(GrantRow.resource_id).in_(there)).values(due_at=moment))
