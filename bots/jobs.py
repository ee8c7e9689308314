"""What is looked at, and how often. Each job finds in rows what is due and may be run at any time, by anybody, twice."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from membership.drift import Drift
from membership.sweep import Sweeper

from billing.catchup import CatchUp
from bots.foundation import Foundation
from bots.scheduler import Job
from bots.troubles import connected_spaces
from bots.use_cases import UseCases
from core.ids import CauseId

HEALTH_EVERY = timedelta(seconds=5)
CATCH_UP_EVERY = timedelta(minutes=10)
DRIFT_EVERY = timedelta(hours=6)
PROBE_EVERY = timedelta(hours=1)
"""How often what waits for a creator is tried again, when no event of the platform has told us to."""


def jobs(base: Foundation, cases: UseCases, examine: Callable[[], Awaitable[None]]) -> list[Job]:
    """Return the table. ``examine`` looks at the program's own health."""
    return [
        Job("health", HEALTH_EVERY, examine),
        Job("sweep", base.configuration.settings.sweep_every, sweeper(base).run),
        Job("catch-up", CATCH_UP_EVERY, catch_up(base, cases).run),
        Job("drift", DRIFT_EVERY, Drift(**base.tools(), adapters=base.adapters).run),
        Job("probe", PROBE_EVERY, _probe(base, cases)),
    ]


def sweeper(base: Foundation) -> Sweeper:
    """Return what finds what is due."""
    return Sweeper(**base.tools(), gateways=base.gateways)


def catch_up(base: Foundation, cases: UseCases) -> CatchUp:
    """Return what makes our rows equal the processor's."""
    return CatchUp(**base.tools(), gateways=base.gateways, subscriptions=cases.subscriptions, orders=cases.orders)


def _probe(base: Foundation, cases: UseCases) -> Callable[[], Awaitable[None]]:
    async def probe() -> None:
        async with base.db.reading() as session:
            connected = await connected_spaces(session)
        for space in connected:
            await cases.unblocker.probe(space.space, cause=CauseId(base.ids.new()))

    return probe
