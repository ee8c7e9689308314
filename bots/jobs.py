"""What is looked at, and how often. Each job finds in rows what is due and may be run at any time, by anybody, twice."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from billing.catchup import CatchUp
from bots.foundation import Foundation
from bots.scheduler import Job
from bots.use_cases import UseCases
from membership.drift import Drift
from membership.sweep import Sweeper
from membership.uninvited import Uninvited

HEALTH_EVERY = timedelta(seconds=5)
CATCH_UP_EVERY = timedelta(minutes=10)
DRIFT_EVERY = timedelta(minutes=5)
"""Each look asks about a hundred members at most, those not seen for longest first: one call every three seconds."""

MOVES_EVERY = timedelta(minutes=10)
EXTENSIONS_EVERY = timedelta(minutes=1)
"""What is given to somebody who pays is asked for at once; this is for what a crash left behind."""

UNINVITED_EVERY = timedelta(hours=1)


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
        Job("uninvited", UNINVITED_EVERY, Uninvited(**base.tools(), adapters=base.adapters).run),
    ]


def sweeper(base: Foundation, cases: UseCases) -> Sweeper:
    """Return what finds what is due by the clock."""
    return Sweeper(**base.tools(), refetch=catch_up(base, cases).refetch, probe=cases.unblocker.probe)


def catch_up(base: Foundation, cases: UseCases) -> CatchUp:
    """Return what makes our rows equal the processor's."""
    return CatchUp(**base.tools(), gateways=base.gateways, subscriptions=cases.subscriptions, orders=cases.orders)


def drift(base: Foundation) -> Drift:
    """Return what compares the platforms with our rows."""
    return Drift(**base.tools(), adapters=base.adapters)
