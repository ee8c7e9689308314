"""What money and access say beside each other, at the end of a round: for the terminal and for the creator."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.events import Notice, NoticeKind
from core.ids import CommunityId
from core.worth import total
from storage import reckoning
from storage.audit import Trail, record
from storage.database import Session
from storage.outbox import add_notice
from storage.reckoning import Mismatch
from storage.rounds import RoundRow

NAMED = 20
"""So many people one notice names; it counts the others."""
MENDED = {
    "taken or rejoined": "given again",
    "came in unseen": "given to whoever had come in unseen",
    "invited again": "invited anew",
}
"""What was done about what was found."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Who pays without access, and who has access without paying."""

    outside: tuple[Mismatch, ...] = ()
    unpaid: tuple[Mismatch, ...] = ()

    @property
    def well(self) -> bool:
        """Whether money and access agree."""
        return not self.outside and not self.unpaid


async def reckon(session: Session, community: CommunityId, row: RoundRow, trail: Trail, *, dry_run: bool) -> Reckoning:
    """End a round: set money beside access, and tell the creator where they differ, once for each round."""
    found = Reckoning(tuple(await reckoning.outside(session, community)), tuple(await reckoning.unpaid(session, community)))
    if dry_run:
        return found
    row.done_at = trail.at
    await session.merge(row)
    facts = {
        "outside": people(found.outside), "outside_worth": worth(found.outside), "outside_names": list(named(found.outside)),
        "unpaid": people(found.unpaid), "unpaid_worth": worth(found.unpaid), "unpaid_names": list(named(found.unpaid)),
        "done": list(mended(row.found)),
    }  # fmt: skip
    record(session, trail, community, "round.done", ("community", community), after={**facts, "looked": row.looked})
    if not found.well or facts["done"]:
        await add_notice(session, trail, community, Notice(NoticeKind.RECONCILED, facts), dedupe=f"reconciled:{row.id}")
    return found


def people(found: Sequence[Mismatch]) -> int:
    """Count each person once."""
    return len({one.member for one in found})


def worth(found: Sequence[Mismatch]) -> str:
    """Return what all of it is worth a month."""
    sums = Counter[str]()
    for one in found:
        sums[one.worth.currency] += one.worth.minor
    return total(sums)


def named(found: Sequence[Mismatch]) -> list[str]:
    """Return who and what, in a few words each, as many as are worth reading."""
    lines = [f"@{one.name}: {one.resource} ({one.why.rstrip('.') or 'on its way'})" for one in found[:NAMED]]
    return [*lines, f"and {len(found) - NAMED} more"] if len(found) > NAMED else lines


def mended(found: dict[str, int]) -> list[str]:
    """Return what was done about what was found."""
    return [f"{found[what]} {done}" for what, done in MENDED.items() if found.get(what)]
