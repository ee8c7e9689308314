"""The last rung of getting people out: where the platform forbids us to, the owner is asked, with a deadline, and asked again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.events import Notice, NoticeKind
from core.ids import CommunityId, Ids, OrderId, OwnerTaskId, PlatformUserId
from core.money import Money
from core.platform import Space
from storage import delivering, disputes, doubles, owner_tasks, reckoning
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.grants import GrantRow, GrantTask
from storage.outbox import add_notice
from storage.owner_tasks import DEADLINE, EVERY, OwnerTask, OwnerTaskRow
from storage.sweeping import Sweep, Tally


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing only the owner can do: take ``user`` out of a resource."""

    user: PlatformUserId
    name: str
    resource: str
    space: Space
    space_name: str
    why: str
    due_at: datetime
    since: datetime
    worth: Money
    """What they read on for without paying, by the month."""


class Why(StrEnum):
    """Why a payment may have to be given back."""

    OUTSIDE = "outside"
    """Who paid could not be let in so far."""
    FRAUD = "fraud"
    """Its card's issuer calls it that."""
    DOUBLE = "double"
    """It pays for what another subscription pays for already."""


@dataclass(frozen=True, slots=True)
class Refundable:
    """A payment that the owner may give back. ``missing``: what keeps whoever paid outside."""

    order: OrderId
    name: str
    plan: str
    money: Money
    since: datetime
    why: Why
    missing: str = ""


class OwnerTasks:
    """Reads what waits for owners."""

    def __init__(self, *, db: Database) -> None:
        self._db = db

    async def listing(self, community: CommunityId, limit: int) -> Sequence[Todo | Refundable]:
        """Return what waits for a community's owner, the oldest first."""
        async with self._db.reading() as session:
            found: list[Todo | Refundable] = [*await _refundable(session, community, limit), *await self._taking(session, community, limit)]
        return sorted(found, key=lambda one: one.since)[:limit]

    async def _taking(self, session: Session, community: CommunityId, limit: int) -> list[Todo]:
        return [
            Todo(
                user=task.account.external_id,
                name=task.account.name or task.account.external_id,
                resource=task.resource.name,
                space=task.space.space,
                space_name=task.space.name,
                why=task.row.why,
                due_at=task.row.due_at,
                since=task.row.opened_at,
                worth=(await reckoning.cheapest(session, task.resource, community))[1],
            )
            for task in await owner_tasks.open_ones(session, community, limit)
        ]


async def _refundable(session: Session, community: CommunityId, limit: int) -> list[Refundable]:
    outside = [
        Refundable(one.order.id, one.account.name, one.plan.name, one.money, one.row.paid_at, Why.OUTSIDE, one.row.why)
        for one in await delivering.asked(session, community, limit)
    ]
    fraud = [
        Refundable(one.order.id, one.account.name, one.plan.name, one.row.money, one.order.paid_at or one.row.opened_at, Why.FRAUD)
        for one in await disputes.warnings(session, community, limit)
    ]
    double = [
        Refundable(one.order.id, one.account.name, one.plan.name, one.price.money, one.row.started_at, Why.DOUBLE)
        for one in await doubles.listing(session, community, limit)
    ]
    return list({one.order: one for one in [*outside, *fraud, *double]}.values())


async def ask(session: Session, task: GrantTask, row: GrantRow, trail: Trail) -> None:
    """Ask the owner to take somebody out whom we may not, once."""
    new = OwnerTaskRow(
        id=OwnerTaskId(trail.ids.new()), community_id=row.community_id, grant_id=row.id, why=row.error,
        opened_at=trail.at, due_at=trail.at + DEADLINE, remind_at=trail.at + DEADLINE,
    )  # fmt: skip
    if not await owner_tasks.ensure(session, new):
        return
    record(session, trail, row.community_id, "owner_task.opened", ("grant", row.id), member=row.member_id, answer=row.error)
    await _tell(session, OwnerTask(new, row, task.account, task.resource_row, task.space_row), trail, f"owner_task:{new.id}")


async def ask_again(session: Session, sweep: Sweep, ids: Ids, limit: int) -> Tally:
    """Close what is done, and tell the owners again of what is late."""
    await owner_tasks.settle(session, sweep.at)
    found = await owner_tasks.late(session, sweep.at, limit)
    for task in found:
        task.row.remind_at = sweep.at + EVERY
        session.add(task.row)
        trail = Trail(ids, sweep.at, sweep.cause)
        await _tell(session, task, trail, f"owner_task:{task.row.id}:{sweep.at.isoformat()}", late=True)
    return Tally(task.row.community_id for task in found)


async def _tell(session: Session, task: OwnerTask, trail: Trail, dedupe: str, *, late: bool = False) -> None:
    facts = {
        "who": task.account.name or task.account.external_id,
        "resource": task.resource.name,
        "place": task.space.name,
        "space": task.space.id,
        "why": task.row.why,
        "by": task.row.due_at.isoformat(),
        "late": late,
    }
    notice = Notice(NoticeKind.OWNER_TASK, facts)
    await add_notice(session, trail, task.row.community_id, notice, member=task.grant.member_id, dedupe=dedupe)
