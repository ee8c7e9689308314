"""What is due by the clock: found in rows, in batches, so that a restart catches up and a second run finds nothing."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from core.causality import Origin, new_cause
from core.clock import Clock
from core.ids import CauseId, CommunityId, Ids
from core.platform import Space
from membership.delivery import foretell, watch
from membership.owner_task import ask_again
from membership.sweep_accounts import go_on, tell_of_links
from membership.sweep_reminders import remind
from storage import (
    account_changes,
    causes,
    credentials,
    drifting,
    lanes,
    outbox,
    overdue,
    owner_tasks,
    reminders,
    space_links,
    states,
    sweeping,
)
from storage.database import Database, Session, will_wake
from storage.overdue import SubscriptionRef
from storage.purge import Purge
from storage.spaces import SpaceRow
from storage.sweeping import BATCH, Sweep, Tally

KEEP_DONE = timedelta(days=30)
"""How long finished work is kept: as long as the processor lists and repeats its events."""
PROBE_EVERY = timedelta(hours=1)
TO_CARRY_OUT, LOOKED_AT = "grants to carry out", "spaces looked at again"
SEEN_TO = "paid orders seen to"
LINKS_WORN, ASKED_AGAIN, CHANGING = "owners told to renew a link", "owners asked again", "account changes going on"
Batch = Callable[[Session, Sweep, int], Awaitable[Tally]]


class Refetch(Protocol):
    """Asks the processor about subscriptions of a community, and writes what may be written of the answers."""

    async def __call__(
        self, community: CommunityId, refs: Iterable[SubscriptionRef], *, cause: CauseId, dry_run: bool = False
    ) -> Counter[str]:
        """Return how many became what, in words. Fails nowhere: what has no answer changes nothing."""
        ...


class Probe(Protocol):
    """Looks again at a space where grants wait for the creator."""

    async def __call__(self, space: Space, *, cause: CauseId) -> None:
        """Set what works again to be granted."""
        ...


@dataclass(slots=True)
class SweepReport:
    """What a run did, or would do. ``counts`` is by what it is and the community, empty where it is of none."""

    dry_run: bool = False
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, what: str, tally: Tally) -> None:
        """Add what happened in each community."""
        self.counts.update({(what, community): number for community, number in tally.items() if number})

    def __str__(self) -> str:
        lines = [
            f"{number:>7}  {what}" + (f"  ({community})" if community else "") for (what, community), number in sorted(self.counts.items())
        ]
        return "\n".join(lines) or "Nothing is due."


class Sweeper:
    """Runs whenever it is woken; nothing of it depends on when that was, or on how often. ``batch`` rows share a transaction."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, refetch: Refetch, probe: Probe | None = None, batch: int = BATCH) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._refetch = refetch
        self._probe = probe
        self._batch = batch

    async def run(self, *, dry_run: bool = False) -> SweepReport:
        """Do everything that is due now; with ``dry_run`` only say what it would be."""
        report = SweepReport(dry_run)
        sweep = Sweep(self._clock.now(), new_cause(self._ids, Origin.SWEEP))
        await (self._count(sweep, report) if dry_run else self._change(sweep, report))
        await self._ask(sweep, report)
        if not dry_run:
            await self._forget(sweep, report)
            await self._wake(sweep, report)
        return report

    async def _count(self, sweep: Sweep, report: SweepReport) -> None:
        async with self._db.reading() as session:
            report.count("passes ended", await sweeping.passes_due(session, sweep.at))
            report.count("reminders of failed payments", await reminders.count(session, sweep.at))
            report.count("orders expired", await sweeping.orders_due(session, sweep.at))
            report.count("links ended", await sweeping.invites_due(session, sweep.at))
            report.count(LINKS_WORN, Tally(space.community_id for space in await space_links.worn_out(session, sweep.at, self._batch)))
            report.count(SEEN_TO, await foretell(session, sweep, self._batch))
            report.count(ASKED_AGAIN, Tally(task.row.community_id for task in await owner_tasks.late(session, sweep.at, self._batch)))
            report.count(CHANGING, Tally(change.community_id for change in await account_changes.ready(session, self._batch)))
            for what, purge, before in _forgettable(sweep.at):
                report.count(what, _of_nobody(await purge.count(session, before)))
            report.count(TO_CARRY_OUT, Tally(await lanes.grants_due(session, sweep.at)))
            report.count(LOOKED_AT, Tally(space.community_id for space in await self._to_probe(session, sweep)))

    async def _change(self, sweep: Sweep, report: SweepReport) -> None:
        report.count("passes ended", await self._batches(sweeping.end_passes, sweep))
        report.count("reminders of failed payments", await self._batches(_remind, sweep))
        report.count("orders expired", await self._batches(sweeping.expire_orders, sweep))
        report.count("links ended", await self._batches(sweeping.end_invites, sweep))
        async with self._db.transaction() as session:
            report.count(LINKS_WORN, await tell_of_links(session, sweep, self._ids, self._batch))
            report.count(SEEN_TO, await watch(session, sweep, self._ids, self._batch))
            report.count(ASKED_AGAIN, await ask_again(session, sweep, self._ids, self._batch))
            report.count(CHANGING, await go_on(session, sweep, self._ids, self._batch))

    async def _batches(self, batch: Batch, sweep: Sweep) -> Tally:
        """Run a batch, each in a transaction of its own, until one is not full."""
        done = Tally()
        while True:
            async with self._db.transaction() as session:
                some = await batch(session, sweep, self._batch)
            done.update(some)
            if some.total() < self._batch:
                return done

    async def _ask(self, sweep: Sweep, report: SweepReport) -> None:
        """Ask about subscriptions that should be over: only the processor knows whether they are.

        A stopped community is not asked about; a run that changes nothing asks about all it has, to say what is held back.
        """
        async with self._db.reading() as session:
            communities = await overdue.communities(session, sweep.at)
            stopped = await overdue.stopped(session) if report.dry_run else []
        for community in sorted({*communities, *stopped}):
            async with self._db.reading() as session:
                looked = overdue.live(session, community) if community in stopped else overdue.overdue(session, community, sweep.at)
                refs = await looked
            for what, number in (await self._refetch(community, refs, cause=sweep.cause, dry_run=report.dry_run)).items():
                report.count(f"subscriptions {what}", Tally({community: number}))

    async def _forget(self, sweep: Sweep, report: SweepReport) -> None:
        """Delete what has had its time, where there is any."""
        async with self._db.glance() as session:
            found = [one for one in _forgettable(sweep.at) if await one[1].any(session, one[2])]
        for what, purge, before in found:
            while True:
                async with self._db.transaction() as session:
                    gone = await purge(session, before, self._batch)
                report.count(what, _of_nobody(gone))
                if gone < self._batch:
                    break

    async def _wake(self, sweep: Sweep, report: SweepReport) -> None:
        """Wake whoever has work that is due, and look again at spaces that wait for their creator."""
        async with self._db.reading() as session:
            due = await lanes.due_lanes(session, sweep.at)
            waiting = await self._to_probe(session, sweep)
            report.count(TO_CARRY_OUT, Tally(await lanes.grants_due(session, sweep.at)))
        async with self._db.transaction() as session:
            for lane in due:
                will_wake(session, lane)
            for space in waiting:
                await drifting.probe_at(session, space.id, sweep.at + PROBE_EVERY)
        for space in waiting:
            if self._probe is not None:
                await self._probe(space.space, cause=sweep.cause)
        report.count(LOOKED_AT, Tally(space.community_id for space in waiting))

    async def _to_probe(self, session: Session, sweep: Sweep) -> list[SpaceRow]:
        return await drifting.to_probe(session, sweep.at) if self._probe else []


def _forgettable(now: datetime) -> tuple[tuple[str, Purge | causes.Forgetting, datetime], ...]:
    """Return what has had its time, how to find it, and before which moment."""
    return (
        ("sign-ins forgotten", states.purge_states, now),
        ("signed-in browsers forgotten", states.purge_browsers, now),
        ("tokens forgotten", credentials.purge, now),
        ("deliveries forgotten", causes.Forgetting(), now - KEEP_DONE),
        ("finished jobs forgotten", outbox.purge, now - KEEP_DONE),
    )


def _of_nobody(number: int) -> Tally:
    return Tally({CommunityId(""): number})


async def _remind(session: Session, sweep: Sweep, limit: int) -> Tally:
    due = [remind(failing, sweep.at) for failing in await reminders.due(session, sweep.at, limit)]
    await reminders.send(session, sweep, due)
    return Tally(reminder.failing.community for reminder in due)
