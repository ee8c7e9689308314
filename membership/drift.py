"""The platform against our rows: who left, who came back unseen, and what was taken from them. It only ever gives."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.causality import Origin, new_cause
from core.clock import Clock
from core.errors import ExternalError, InstallationRevoked, RateLimited, Remedy
from core.ids import AccountId, CauseId, Ids, PlatformName, SpaceId
from core.platform import PlatformAdapter, Resource
from membership.community import Communities
from storage import drifting
from storage.accounts import AccountRow
from storage.audit import Trail, record
from storage.database import Database, will_wake
from storage.grants import Actual, GrantRow, GrantStatus
from storage.spaces import SpaceRow

INVITE_LIVES = timedelta(days=6)
"""After this a payer who still waits outside is given a new invite: one lives a week."""
NOT_INSIDE = "not_inside"
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class DriftReport:
    """What a run found, by what it is and the community."""

    dry_run: bool = False
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __str__(self) -> str:
        lines = [f"{number:>7}  {what}  ({community})" for (what, community), number in sorted(self.counts.items())]
        return "\n".join(lines) or "Nobody to look for."


class Drift:
    """Asks the platform what members have, one question for each account and space."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, adapters: Mapping[PlatformName, PlatformAdapter]) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._adapters = adapters
        self._communities = Communities(db=db, clock=clock, ids=ids)

    async def run(self, limit: int = 100, *, dry_run: bool = False) -> DriftReport:
        """Look for up to ``limit`` members, those never seen and those not seen for longest first; one that fails is left for the next run.

        A space that gives no answer is left alone for the rest of the run, so that it holds up no other.
        """
        report, cause = DriftReport(dry_run), new_cause(self._ids, Origin.DRIFT)
        silent: set[SpaceId] = set()
        asked: set[tuple[AccountId, SpaceId]] = set()
        while len(asked) < limit:
            async with self._db.reading() as session:
                found = await drifting.seats(session, list(self._adapters), silent, limit, self._clock.now())
            fresh = [seat for seat in found if (seat[0].id, seat[1].id) not in asked]
            before = len(silent)
            for account, space in fresh[: limit - len(asked)]:
                if space.id in silent:
                    continue
                asked.add((account.id, space.id))
                if not await self._answers(account, space, cause, report):
                    silent.add(space.id)
            if len(silent) == before:
                break
        return report

    async def _answers(self, account: AccountRow, space: SpaceRow, cause: CauseId, report: DriftReport) -> bool:
        """Look at one; a platform that says to wait is left alone like one that says nothing."""
        try:
            return await self.look(account, space, cause, report)
        except RateLimited as error:
            _log.info("no answer about %s in space %s: %s", account.id, space.id, error)
            return False

    async def look(self, account: AccountRow, space: SpaceRow, cause: CauseId, report: DriftReport) -> bool:
        """Compare one account in one space; return whether the platform answered. RateLimited is for the caller to wait out."""
        async with self._db.reading() as session:
            known = {grant.id: _mark(grant) for grant, _ in await drifting.grants_of(session, account.id, space.id)}
        try:
            held = await self._adapters[space.platform].holds(space.space, account.external_id)
        except InstallationRevoked:
            if not report.dry_run:
                await self._communities.space_removed(space.space, cause=cause)
            return False
        except RateLimited:
            raise
        except ExternalError as error:
            _log.info("no answer about %s in space %s: %s", account.id, space.id, error)
            return False
        trail = Trail(self._ids, self._clock.now(), cause)
        async with self._db.reading() if report.dry_run else self._db.transaction() as session:
            for grant, resource in await drifting.grants_of(session, account.id, space.id):
                if known.get(grant.id) != _mark(grant):
                    continue  # what we were told may be older than what this row knows
                before = grant.facts
                what = compare(grant, resource.resource(space.space), held, trail.at)
                report.counts[what, grant.community_id] += 1
                grant.checked_at = trail.at
                if grant.status == GrantStatus.PENDING:
                    grant.due_at, grant.cause_id = trail.at, cause
                    will_wake(session, grant.lane)
                after = grant.facts
                session.add(grant)
                if before != after:
                    record(session, trail, grant.community_id, "grant.drifted", ("grant", grant.id), member=grant.member_id,
                           before=before, after=after, answer=what)  # fmt: skip
        return True


def compare(grant: GrantRow, resource: Resource, held: frozenset[Resource] | None, now: datetime) -> str:
    """Make a wanted grant say what the platform says, and return that in words. ``held`` is None when they are not in the space."""
    if held is None:
        grant.found = False
        if grant.status != GrantStatus.BLOCKED:
            grant.attempted = False  # one that waits outside keeps it: it says that our invite carries the role
            grant.actual, grant.status, grant.remedy = Actual.UNKNOWN, GrantStatus.BLOCKED, Remedy.MEMBER
            grant.error, grant.error_code, grant.told = "not in the space", NOT_INSIDE, False
        elif grant.invited_at is not None and grant.invited_at <= now - INVITE_LIVES:
            grant.status, grant.attempts, grant.invite_url, grant.invited_at = GrantStatus.PENDING, 0, "", None
            return "invited again"
        return "not inside"
    if resource in held and grant.status == GrantStatus.DONE:
        return "as it should be"
    was = "came in unseen" if grant.status == GrantStatus.BLOCKED else "taken or rejoined"
    if resource not in held:
        grant.found = grant.attempted = False  # whatever they had before is gone: the drain looks afresh before it gives
    grant.actual = Actual.UNKNOWN
    grant.status, grant.attempts, grant.remedy, grant.error, grant.error_code = GrantStatus.PENDING, 0, None, "", ""
    return was


def _mark(grant: GrantRow) -> tuple[object, ...]:
    return grant.version, grant.status, grant.checked_at
