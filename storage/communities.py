"""The creator's tenant."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from core.events import Notice, NoticeKind
from core.ids import CommunityId, SpaceId
from storage.audit import Trail, record
from storage.outbox import add_notice
from storage.types import UTCDateTime


class CommunityRow(SQLModel, table=True):
    """A community: what a creator set up, and whether mass changes to it are stopped."""

    __tablename__ = "communities"

    id: CommunityId = Field(sa_type=Text, primary_key=True)
    name: str
    currency: str = Field(max_length=3)
    """Default currency for prices and tips, ISO 4217."""
    grace_days: int | None = None
    """Days of access after a failed renewal; None means the operator's default."""
    keep_refunded: bool = False
    """Whether a payment that is given back in full leaves what it paid for open, until its time is over."""
    notice_space_id: SpaceId | None = Field(default=None, sa_type=Text)
    notice_channel: str = ""
    """External id of the channel for notices to the creator; empty means the installer is told directly."""
    created_at: datetime = Field(sa_type=UTCDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """Since when mass revocation waits for a person's word; None when it does not."""
    stopped_reason: str = ""
    save_percent: int | None = None
    """What whoever is about to cancel is offered off, in percent; None offers nothing."""
    save_months: int | None = None
    """For how many months; None beside a percentage is for one payment."""
    longest_pause: int | None = None
    """In months; 0 allows no pause, None the default."""
    confirmed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When a person last said the stopped sweep may go on."""


async def find(session: AsyncSession, community: CommunityId) -> CommunityRow | None:
    """Find a community by its id."""
    return await session.get(CommunityRow, community)


async def keeps_refunded(session: AsyncSession, community: CommunityId) -> bool:
    """Say whether what a community gives back in full stays open until its time is over."""
    return (await session.get_one(CommunityRow, community)).keep_refunded


async def stop(session: AsyncSession, community: CommunityId, reason: str, trail: Trail) -> None:
    """Have revocations that answers from outside ask for wait for a person, who is told once; one that is stopped stays as it is."""
    row = await session.get_one(CommunityRow, community, with_for_update=True)
    if row.stopped_at is not None:
        return
    row.stopped_at, row.stopped_reason, row.confirmed_at = trail.at, reason, None
    session.add(row)
    record(session, trail, community, "sweep.stopped", ("community", community), after={"reason": reason})
    notice = Notice(NoticeKind.SWEEP_STOPPED, {"reason": reason, "community": community})
    await add_notice(session, trail, community, notice, dedupe=f"sweep_stopped:{community}:{trail.at.isoformat()}")


async def resume(session: AsyncSession, community: CommunityId, trail: Trail) -> None:
    """End a stop once what the person confirmed is done: the next flood stops again."""
    row = await session.get_one(CommunityRow, community, with_for_update=True)
    if row.stopped_at is None and row.confirmed_at is None:
        return
    before = {"reason": row.stopped_reason}
    row.stopped_at, row.stopped_reason, row.confirmed_at = None, "", None
    session.add(row)
    record(session, trail, community, "sweep.resumed", ("community", community), before=before)
