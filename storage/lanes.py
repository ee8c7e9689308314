"""Who owns a lane: the epoch fences an owner that was paused."""

from datetime import datetime

from sqlalchemy import Text, bindparam, func, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from core.dispatch import Lane
from core.ids import CommunityId
from storage.database import Database
from storage.grants import IN_TURN, GrantRow
from storage.inbox import InboxRow, WorkStatus
from storage.outbox import OutboxRow
from storage.types import UTCDateTime, inline
from storage.upsert import dialect_of, inserts, table


class Fenced(Exception):  # noqa: N818 - nobody erred
    """Another owner has taken the lane over; what was done under the old epoch is not recorded."""


class LaneRow(SQLModel, table=True):
    """One lane and its current owner's epoch."""

    __tablename__ = "lanes"

    lane: Lane = Field(sa_type=Text, primary_key=True)
    epoch: int = 0
    owner: str = ""
    taken_at: datetime = Field(sa_type=UTCDateTime)


_lane = table(LaneRow).c
_EPOCH = select(_lane.epoch).where(_lane.lane == bindparam("lane")).with_for_update(read=True)
_TAKE = {
    dialect: new.on_conflict_do_update(
        index_elements=["lane"], set_={"epoch": _lane.epoch + 1, "owner": new.excluded.owner, "taken_at": new.excluded.taken_at}
    ).returning(_lane.epoch)
    for dialect, new in inserts(LaneRow).items()
}
_PENDING = inline(WorkStatus.PENDING)  # grants use the same word
_GRANTS_DUE = (
    select(col(GrantRow.community_id), func.count())
    .where(col(GrantRow.status) == _PENDING, col(GrantRow.due_at) <= bindparam("now"))
    .group_by(col(GrantRow.community_id))
)
_DUE_LANES = union(
    *(
        select(col(row.lane)).where(col(row.status) == _PENDING, col(row.due_at) <= bindparam("now"), *besides)
        for row, besides in ((InboxRow, ()), (OutboxRow, ()), (GrantRow, (IN_TURN,)))
    )
)


async def take(db: Database, lane: Lane, owner: str, now: datetime) -> int:
    """Make ``owner`` (a process, for people to read) the lane's owner, in a transaction of its own, and return the new epoch.

    Whoever held an older epoch can record nothing more.
    """
    async with db.transaction() as session:
        taken = {"lane": lane, "epoch": 1, "owner": owner, "taken_at": now}
        epoch: int = (await session.execute(_TAKE[dialect_of(session)], taken)).scalar_one()
        return epoch


async def fence(session: AsyncSession, lane: Lane, epoch: int) -> None:
    """Raise Fenced unless ``epoch`` is the lane's, and keep it so until this transaction ends. Call it before recording anything."""
    held = (await session.execute(_EPOCH, {"lane": lane})).scalar_one_or_none()
    if held != epoch:
        raise Fenced(f"lane {lane} is at epoch {held}, not {epoch}")


async def grants_due(session: AsyncSession, now: datetime) -> dict[CommunityId, int]:
    """Return how many grants are to be carried out now, first or once more, by community."""
    return {found[0]: found[1] for found in await session.execute(_GRANTS_DUE, {"now": now})}


async def due_lanes(session: AsyncSession, now: datetime) -> set[Lane]:
    """Return every lane with a row whose time has come."""
    return set((await session.execute(_DUE_LANES, {"now": now})).scalars())
