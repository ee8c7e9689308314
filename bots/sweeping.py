"""`doorman sweep`: one round by hand. What it finds due is carried out by the running program, whose rows these are."""

from bots.foundation import lay_foundation
from bots.jobs import catch_up, sweeper
from bots.settings import Configuration
from bots.use_cases import build_use_cases
from core.ids import CauseId, CommunityId

OPERATOR = "operator"
"""How the audit names whoever has the command line."""


async def confirm(configuration: Configuration, community: str) -> str:
    """Let a stopped sweep go on and return the community's name. Refusals ``unknown_community``, ``not_stopped``."""
    async with lay_foundation(configuration) as base:
        communities = build_use_cases(base).desk.communities
        return await communities.confirm(CommunityId(community), actor=OPERATOR, cause=CauseId(base.ids.new()))


async def sweep_once(configuration: Configuration, *, dry_run: bool) -> list[str]:
    """Compare with the processor, look at what is due, and return what each of the two found."""
    async with lay_foundation(configuration) as base:
        cases = build_use_cases(base)
        caught_up = await catch_up(base, cases).run(dry_run=dry_run)
        swept = await sweeper(base).run(dry_run=dry_run)
    return [str(caught_up), str(swept)]
