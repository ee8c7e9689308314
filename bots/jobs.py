"""What is looked at, and how often. Each job finds in rows what is due and may be run at any time, by anybody, twice."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from billing.catchup import CatchUp
from bots.foundation import Foundation
from bots.scheduler import Job
from bots.use_cases import UseCases
from membership.drift import Drift
from membership.round import DueRounds, Rounds
from membership.sweep import Sweeper
from membership.uninvited import Uninvited
from storage import rounds

HEALTH_EVERY = timedelta(seconds=5)
CATCH_UP_EVERY = timedelta(minutes=10)
DRIFT_EVERY = timedelta(minutes=5)
"""Each look asks about a hundred members at most, those not seen for longest first: one call every three seconds."""

MOVES_EVERY = timedelta(minutes=10)
EXTENSIONS_EVERY = timedelta(minutes=1)
"""What is given to somebody who pays is asked for at once; this is for what a crash left behind."""

UNINVITED_EVERY = timedelta(hours=1)
ROUND_EVERY = timedelta(hours=1)
"""How often it is looked whether a community's daily round is due, or was cut short."""


def jobs(base: Foundation, cases: UseCases, examine: Callable[[], Awaitable[None]]) -> list[Job]:
    """Return the table. ``examine`` looks at the program's own health."""
    return [
        Job("health", HEALTH_EVERY, examine),
        Job("catch-up", CATCH_UP_EVERY, catch_up(base, cases).run),
        Job("sweep", base.configuration.settings.sweep_every, sweeper(base, cases).run),
        Job("seats", base.configuration.settings.sweep_every, cases.desk.waitlist.run),
        Job("price changes", MOVES_EVERY, cases.desk.moves.run),
        Job("moved payments", EXTENSIONS_EVERY, cases.extensions.run),
        Job("drift", DRIFT_EVERY, drift(base).run),
        Job("reconcile", ROUND_EVERY, due_rounds(base, cases)),
        Job("uninvited", UNINVITED_EVERY, Uninvited(**base.tools(), adapters=base.adapters).run),
    ]


def due_rounds(base: Foundation, cases: UseCases) -> Callable[[], Awaitable[None]]:
    """Return the job that makes the rounds that are due. The payment processor is compared by a job of its own.

    After a restored backup all of it is compared at once, and what has ended is taken again only after that.
    """
    due = DueRounds(db=base.db, clock=base.clock, rounds=round_maker(base))

    async def run() -> None:
        if base.restraint.held and not await _compared(base, cases):
            return
        base.restraint.lift()
        await due.run()

    return run


async def _compared(base: Foundation, cases: UseCases) -> bool:
    """Compare everything; returns whether everybody answered."""
    missed = await catch_up(base, cases).run(whole=True)
    async with base.db.reading() as session:
        everyone = [row.id for row in await rounds.communities(session)]
    made = [await round_maker(base).run(community) for community in everyone]
    return not missed.troubles and not any(one.silent for one in made)


def round_maker(base: Foundation) -> Rounds:
    """Return what looks at everybody in a community."""
    return Rounds(**base.tools(), adapters=base.adapters)


def sweeper(base: Foundation, cases: UseCases) -> Sweeper:
    """Return what finds what is due by the clock."""
    return Sweeper(**base.tools(), refetch=catch_up(base, cases).refetch, probe=cases.unblocker.probe)


def catch_up(base: Foundation, cases: UseCases) -> CatchUp:
    """Return what makes our rows equal the processor's."""
    return CatchUp(**base.tools(), gateways=base.gateways, subscriptions=cases.subscriptions, orders=cases.orders)


def drift(base: Foundation) -> Drift:
    """Return what compares the platforms with our rows."""
    return Drift(**base.tools(), adapters=base.adapters)
