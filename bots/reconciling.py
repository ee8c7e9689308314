"""`doorman reconcile`: payments, rows and platforms compared from end to end, and the money at stake said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from billing.catchup import CatchUpReport
from bots.foundation import Foundation, stand_on
from bots.jobs import catch_up, round_maker
from bots.settings import Configuration
from bots.use_cases import build_use_cases
from core.errors import Refusal
from core.ids import CommunityId
from membership.reckoning import mended, named, people, worth
from membership.round import Progress, RoundReport
from storage import communities, rounds
from storage.communities import CommunityRow


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of it: what the processor knew better, and each community's round."""

    missed: CatchUpReport
    rounds: tuple[RoundReport, ...]

    @property
    def whole(self) -> bool:
        """Whether everybody who had to be asked answered."""
        return not self.missed.troubles and not any(one.silent for one in self.rounds)


async def reconcile(configuration: Configuration, community: str, *, dry_run: bool, say: Callable[[str], None]) -> Reconciled:
    """Compare everything, of one community or of all. ``say`` hears how far it is. Refusal ``unknown_community``."""
    async with stand_on(configuration, touch=not dry_run) as base:
        chosen = await _chosen(base, community)
        say("Asking the payment processor for every subscription")
        missed = await catch_up(base, build_use_cases(base)).run(dry_run=dry_run, whole=True)
        made = [await round_maker(base).run(one.id, dry_run=dry_run, progress=_progress(one, say)) for one in chosen]
        return Reconciled(missed, tuple(made))


async def _chosen(base: Foundation, community: str) -> Sequence[CommunityRow]:
    async with base.db.reading() as session:
        if not community:
            return await rounds.communities(session)
        row = await communities.find(session, CommunityId(community))
    if row is None:
        raise Refusal("unknown_community", f"There is no community {community}. doorman doctor names them.")
    return [row]


def _progress(community: CommunityRow, say: Callable[[str], None]) -> Progress:
    return lambda place, looked, everyone: say(f"{community.name}: {looked:,} of {max(looked, everyone):,} looked at, now in {place}")


def lines(found: Reconciled) -> list[str]:
    """Return the report for a terminal."""
    told = ["Compared with the payment processor", str(found.missed)]
    for one in found.rounds:
        told += ["", f"{one.name} ({one.community}): {one.looked:,} looked at"]
        told += [f"  {number:>7,}  {what}" for what, number in sorted(one.found.items())]
        told += [f"  No answer from {place}: it is looked at again next time." for place in one.silent]
        outside, unpaid = one.reckoning.outside, one.reckoning.unpaid
        told.append(f"  Paying without access: {people(outside)}, worth {worth(outside)} a month")
        told += [f"    {line}" for line in named(outside)]
        told.append(f"  Access without paying: {people(unpaid)}, worth {worth(unpaid)} a month")
        told += [f"    {line}" for line in named(unpaid)]
        done = mended(one.found)
        told.append(f"  {'It would be done' if one.dry_run else 'Done'} about it: {', '.join(done) or 'nothing'}")
    return told
