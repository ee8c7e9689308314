"""A whole look at a community: every member's access, on every platform, against our rows. It only ever gives.

It can be stopped anywhere, and goes on from there.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from core.causality import Origin, new_cause
from core.clock import Clock, sleep
from core.errors import ExternalError, RateLimited
from core.ids import AccountId, CommunityId, Ids, PlatformName, PlatformUserId, ResourceId, RoundId
from core.platform import PlatformAdapter
from membership.drift import Drift, DriftReport
from membership.reckoning import Reckoning, reckon
from storage import resources, rounds
from storage.accounts import AccountRow
from storage.audit import Trail
from storage.communities import CommunityRow
from storage.database import Database
from storage.rounds import RoundRow
from storage.spaces import SpaceRow

EVERY = timedelta(days=1)
BATCH = 100
"""Accounts looked at before it is written down how far we are: what a stop costs at most."""
AT_ONCE = 4
"""Questions to a platform at the same time; its adapter holds the limits."""
LONGEST_WAIT = 12
"""How often in a row a platform may tell us to wait before its place is left for the next round."""
AS_IT_SHOULD_BE = "as it should be"
_log = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]
"""Called with where we are, how many seats were looked at and how many there are."""
Holders = dict[ResourceId, set[PlatformUserId]]


@dataclass(slots=True)
class RoundReport:
    """What a round found in one community, and what money and access say beside each other at its end."""

    community: CommunityId
    name: str
    dry_run: bool
    looked: int = 0
    found: dict[str, int] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    reckoning: Reckoning = field(default_factory=Reckoning)


class Rounds:
    """Makes rounds. Where a platform lists who has what, one listing answers for all who are in it; the others are asked about singly."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, adapters: Mapping[PlatformName, PlatformAdapter]) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._adapters = adapters
        self._drift = Drift(db=db, clock=clock, ids=ids, adapters=adapters)

    async def run(
        self, community: CommunityId, *, dry_run: bool = False, progress: Progress = lambda _where, _looked, _all: None
    ) -> RoundReport:
        """Look at everybody in a community, from where the last round stopped; with ``dry_run`` from the start, and nothing is written."""
        row = await self._begin(community, dry_run=dry_run)
        async with self._db.reading() as session:
            places, seats = await rounds.spaces(session, community, row.space_id), await rounds.seats(session, community)
            name = (await session.get_one(CommunityRow, community)).name
        for space in places:
            if space.platform in self._adapters:
                await self._space(row, space, dry_run=dry_run, said=lambda space=space: progress(space.name, row.looked, seats))  # type: ignore[misc]
        report = RoundReport(community, name, dry_run, row.looked, dict(row.found), list(row.silent))
        trail = Trail(self._ids, self._clock.now(), row.cause_id)
        async with self._db.reading() if dry_run else self._db.transaction() as session:
            report.reckoning = await reckon(session, community, row, trail, dry_run=dry_run)
        return report

    async def _begin(self, community: CommunityId, *, dry_run: bool) -> RoundRow:
        new = RoundRow(
            id=RoundId(self._ids.new()),
            community_id=community,
            started_at=self._clock.now(),
            cause_id=new_cause(self._ids, Origin.RECONCILE),
        )
        if dry_run:
            return new
        async with self._db.transaction() as session:
            return await rounds.begin(session, new)

    async def _space(self, row: RoundRow, space: SpaceRow, *, dry_run: bool, said: Callable[[], None]) -> None:
        """Look at everybody in one place, a batch at a time; one that gives no answer is named and left for the next round."""
        if row.space_id != space.id:
            row.space_id, row.account_id = space.id, AccountId("")
        listed = await self._listed(space)
        while True:
            async with self._db.reading() as session:
                people = await rounds.accounts(session, space.id, row.account_id, BATCH)
            if not people:
                break
            counts = DriftReport(dry_run)
            answers = await self._batch(row, space, people, listed, counts)
            row.looked, row.account_id = row.looked + len(people), people[-1].id
            for (what, _), number in counts.counts.items():
                row.found = {**row.found, what: row.found.get(what, 0) + number}
            if not answers:
                row.silent = [*row.silent, space.name]
            await self._note(row, dry_run=dry_run)
            said()
            if not answers:
                break

    async def _note(self, row: RoundRow, *, dry_run: bool) -> None:
        if not dry_run:
            async with self._db.transaction() as session:
                await session.merge(row)

    async def _listed(self, space: SpaceRow) -> Holders:
        """Ask who has each thing that is sold in a place; what the platform does not list is left out."""
        adapter, found = self._adapters[space.platform], Holders()
        async with self._db.reading() as session:
            offered = await resources.on_offer(session, space.id)
        for resource in offered:
            try:
                found[resource.id] = {user async for user in adapter.holders(resource.resource(space.space))}
            except ExternalError as error:
                _log.info("nobody lists who has resource %s: %s", resource.id, error)
        return found

    async def _batch(self, row: RoundRow, space: SpaceRow, people: Sequence[AccountRow], listed: Holders, counts: DriftReport) -> bool:
        """Compare some accounts; returns whether the platform answered about all of them."""
        unsure = await self._unlisted(row, space, people, listed, counts)
        turns, answers = asyncio.Semaphore(AT_ONCE), True

        async def look(account: AccountRow) -> None:
            nonlocal answers
            async with turns:
                answers = answers and await self._patiently(row, space, account, counts)

        async with asyncio.TaskGroup() as group:
            for account in unsure:
                group.create_task(look(account))
        return answers

    async def _unlisted(
        self, row: RoundRow, space: SpaceRow, people: Sequence[AccountRow], listed: Holders, counts: DriftReport
    ) -> list[AccountRow]:
        """Take those off whose rows a listing bears out, and return the others: that somebody has lost something, no listing says."""
        async with self._db.reading() if counts.dry_run else self._db.transaction() as session:
            unsure, sure = set[AccountId](), []
            names = {account.id: account.external_id for account in people}
            for grant, resource in await rounds.grants(session, space.id, list(names)):
                if grant.status == "done" and names[grant.account_id] in listed.get(resource.id, ()):
                    sure.append(grant)
                else:
                    unsure.add(grant.account_id)
            borne_out = [grant.id for grant in sure if grant.account_id not in unsure]
            counts.counts[AS_IT_SHOULD_BE, row.community_id] += len(borne_out)
            if not counts.dry_run:
                await rounds.confirm(session, borne_out, self._clock.now())
        return [account for account in people if account.id in unsure]

    async def _patiently(self, row: RoundRow, space: SpaceRow, account: AccountRow, counts: DriftReport) -> bool:
        """Look at one account, waiting as often as the platform says so, within reason."""
        for _ in range(LONGEST_WAIT):
            try:
                return await self._drift.look(account, space, row.cause_id, counts)
            except RateLimited as error:
                await sleep(self._clock, timedelta(seconds=error.retry_after))
        return False


class DueRounds:
    """Makes each community's round once a day, and goes on with one that was cut short."""

    def __init__(self, *, db: Database, clock: Clock, rounds: Rounds) -> None:
        self._db = db
        self._clock = clock
        self._rounds = rounds

    async def run(self) -> None:
        """Make those that are due, one community after the other."""
        async with self._db.reading() as session:
            everyone = [row.id for row in await rounds.communities(session)]
        for community in everyone:
            async with self._db.reading() as session:
                last, cut_short = await rounds.last_done(session, community), await rounds.under_way(session, community)
            if cut_short is not None or last is None or last <= self._clock.now() - EVERY:
                await self._rounds.run(community)
