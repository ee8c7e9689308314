"""`doorman doctor`: everything that can be looked at without changing anything, a finding each."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from rich.table import Column, Table
from rich.text import Text

from bots.foundation import Foundation, lay_foundation
from bots.jobs import catch_up
from bots.settings import Configuration
from bots.use_cases import build_use_cases
from core.clock import Clock
from core.errors import ExternalError
from core.platform import Identifying, PlatformAdapter
from membership.health import Finding, Health
from membership.progress import Progresses
from storage import schema, troubles
from storage.engine import missing
from storage.spaces import SpaceRow
from storage.stripe_accounts import ENVIRONMENT

MOST_SKEW = timedelta(seconds=60)
"""More than this between our clock and the processor's, and sweeps stop themselves."""

PATIENCE = timedelta(minutes=5)
"""What fails for longer than this is shown; a shorter trouble mostly mends itself."""

MOST_PLACES = 5
"""Where so much is left that it takes long, few are worth reading at once."""


async def examine(configuration: Configuration, *, clock: Clock | None = None) -> list[Finding]:
    """Look at everything; what needs the database is left out while it does not answer."""
    settings = configuration.settings
    found = [Finding("Settings", well=True, text=f"{settings.public_url}; platforms: {', '.join(configuration.platforms)}")]
    async with lay_foundation(configuration, clock=clock, touch=False) as base:
        database = await _database(base)
        found.append(database)
        found += [finding async for finding in _processor(base, rows=database.well)]
        found += [finding async for finding in _platforms(base, rows=database.well)]
        if database.well:
            found += [finding async for finding in _rows(base)]
            found += await _under_way(base)
    return found


async def _database(base: Foundation) -> Finding:
    if absent := missing(base.configuration.settings.database_url.get_secret_value()):
        return Finding("Database", well=False, text=absent)  # opening it would make it
    if not await base.db.ping():
        return Finding("Database", well=False, text="It does not answer. Check DATABASE_URL, and that it is running.")
    if not await schema.head(base.db.engines):
        return Finding("Database", well=False, text="It is not up to date. Run: doorman migrate")
    return Finding("Database", well=True, text="It answers and is up to date.")


async def _processor(base: Foundation, *, rows: bool) -> AsyncIterator[Finding]:
    if not rows:
        return
    try:
        gateway = await base.gateways.of(ENVIRONMENT)
        account, skew = await gateway.account(), await gateway.skew()
    except ExternalError as error:
        yield Finding("Stripe", well=False, text=f"The account cannot be read: {error}")
        return
    mode = "live" if account.livemode else "test"
    yield Finding("Stripe", well=True, text=f"Account {account.external_id}, {mode} mode.")
    if stranger := await catch_up(base, build_use_cases(base)).identity():
        yield Finding("Stripe", well=False, text=stranger)
    if not account.charges_enabled:
        yield Finding("Stripe", well=False, text="The account may not take payments yet. Finish its set-up in Stripe's dashboard.")
    if abs(skew) > MOST_SKEW:
        seconds = round(skew.total_seconds())
        yield Finding("Clock", well=False, text=f"It is {seconds} s off Stripe's, so sweeps stop themselves. Have the machine's clock set.")


async def _platforms(base: Foundation, *, rows: bool) -> AsyncIterator[Finding]:
    connected: Sequence[SpaceRow] = ()
    if rows:
        async with base.db.reading() as session:
            connected = await troubles.connected_spaces(session)
    for name in sorted(base.adapters.keys() - {space.platform for space in connected}):
        async for finding in _identity(base.adapters[name]):
            yield finding
    health = Health(db=base.db, adapters=base.adapters)
    for space in connected:
        async for finding in health.of_space(space):
            yield finding


async def _identity(adapter: PlatformAdapter) -> AsyncIterator[Finding]:
    """Try a platform's token by itself: no space is there yet to try it on."""
    if not isinstance(adapter, Identifying):
        return
    try:
        yield Finding(adapter.label, well=True, text=await adapter.identify())
    except ExternalError as error:
        yield Finding(adapter.label, well=False, text=str(error))


async def _rows(base: Foundation) -> AsyncIterator[Finding]:
    async with base.db.reading() as session:
        dead = await troubles.dead_letters(session)
        held_up = await troubles.held_up(session, base.clock.now() - PATIENCE)
        stopped = await troubles.stopped(session)
        untold = await troubles.untold_creators(session)
    for what, count, example in dead:
        yield Finding("Given up", well=False, text=f"{count} of {what}; the latest says: {example}")
    for what, count, why in held_up:
        minutes = round(PATIENCE.total_seconds() / 60)
        yield Finding("Waiting", well=False, text=f"{count} of {what} failed for over {minutes} minutes and will be tried again: {why}")
    for community in stopped:
        why = community.stopped_reason
        yield Finding("Sweep", well=False, text=f"{community.name} is stopped: {why} To go on: doorman sweep --confirm {community.id}")
    for name, count in untold:
        yield Finding(
            "Notices", well=False, text=f"{count} for the creator of {name} could not be delivered. Have them run /doorman setup."
        )
    if not (dead or held_up or stopped or untold):
        yield Finding("Work", well=True, text="Nothing was given up, nothing is stopped, everybody was told.")


async def _under_way(base: Foundation) -> list[Finding]:
    """Say how far what has to change is, where most of it is left."""
    found = await Progresses(db=base.db, clock=base.clock).of(None, MOST_PLACES)
    return [Finding("Under way", well=not one.waits, text=f"{one.space_name}: {one}") for one in found]


def table(findings: list[Finding]) -> Table:
    """Return the findings for a terminal."""
    drawn = Table("", "What", Column("How it is", overflow="fold"), box=None, pad_edge=False, show_header=False)
    for finding in findings:
        drawn.add_row(Text("ok", "green") if finding.well else Text("!!", "bold red"), Text(finding.what, "bold"), Text(finding.text))
    return drawn
