"""`doorman sweep`: one round by hand. What it finds due is carried out by the running program, whose rows these are."""

from dataclasses import dataclass

from bots.foundation import lay_foundation, stand_on
from bots.jobs import catch_up, drift, sweeper
from bots.settings import Configuration
from bots.use_cases import build_use_cases
from core.causality import Origin, new_cause
from core.ids import CommunityId
from storage import troubles
from storage.communities import CommunityRow

OPERATOR = "operator"
"""How the audit names whoever has the command line."""


async def confirm(configuration: Configuration, community: str) -> str:
    """Let a stopped sweep go on and return the community's name. Refusals ``unknown_community``, ``not_stopped``."""
    async with lay_foundation(configuration) as base:
        communities = build_use_cases(base).desk.communities
        return await communities.confirm(CommunityId(community), actor=OPERATOR, cause=new_cause(base.ids, Origin.OPERATOR))


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found, under headings. ``whole``: everybody who had to be asked answered."""

    found: list[tuple[str, str]]
    whole: bool


async def sweep_once(configuration: Configuration, *, dry_run: bool) -> Round:
    """Look at what was missed, what is due and what differs on the platforms.

    With ``dry_run`` not even the database's schema is touched: SchemaError when it is not up to date, or not there.
    """
    async with stand_on(configuration, touch=not dry_run) as base:
        cases = build_use_cases(base)
        missed = await catch_up(base, cases).run(dry_run=dry_run)
        due = await sweeper(base, cases).run(dry_run=dry_run)
        differs = await drift(base).run(dry_run=dry_run)
        async with base.db.reading() as session:
            stopped = await troubles.stopped(session)
    found = [
        ("Compared with the payment processor", str(missed)),
        ("Due by the clock", str(due)),
        ("Compared with the platforms", str(differs)),
    ]
    if stopped:
        found.append(("Stopped until somebody confirms", "\n".join(map(_stopped, stopped))))
    return Round(found, whole=not missed.troubles)


def _stopped(community: CommunityRow) -> str:
    return f"{community.name}: {community.stopped_reason} To go on: doorman sweep --confirm {community.id}"
