"""The drain of a platform's lane: carry out what the grant rows say, and record what the platform answered."""

import logging
import random
from collections import Counter
from collections.abc import Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.clock import Clock
from core.credentials import Credentials
from core.dispatch import Lane
from core.errors import ExternalError, MemberUnreachable, PermanentError, Remedy, ResourceMissing
from core.ids import AccountId, Ids, PlatformName, SpaceId
from core.platform import Admission, AdmissionOutcome, PlatformAdapter, Resource
from core.pump import Found, pump
from membership.batch import BatchDrain, Heap, is_batched
from membership.outcome import Outcome, blocked, done, failed, watched
from membership.recording import Recording
from membership.restraint import Restraint
from membership.withdrawal import left_out
from storage import grants, lanes, retrying
from storage.database import Database, will_wake
from storage.grants import Actual, GrantTask

BATCH = 16
"""How many rows are looked at in one go: of most lanes, whose space is one, only a few can be served at the same time."""
AT_ONCE = 48
"""How many accounts are served at the same time; the adapter's pacer holds the platform's limits."""
PER_SPACE = 4
"""How many of them in one space: its own limit lets ten role changes through in ten seconds, and the rest wait inside the client."""
JOIN_TOKEN = "join"  # noqa: S105 - the purpose, not the token
GRANTED = "Membership is paid for"
REVOKED = "Membership has ended"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seat:
    """One account in one space: what is done at a time by one piece of work."""

    account: AccountId
    space: SpaceId


@dataclass(frozen=True, slots=True)
class _Work:
    """All due grants of a seat, gains first."""

    adapter: PlatformAdapter
    tasks: tuple[GrantTask, ...]


class GrantDrain:
    """Works off a platform's lane."""

    def __init__(
        self, *, db: Database, clock: Clock, ids: Ids, adapters: Mapping[PlatformName, PlatformAdapter], credentials: Credentials,
        rng: random.Random, restraint: Restraint | None = None,
    ) -> None:  # fmt: skip
        self._db = db
        self._clock = clock
        self._adapters = adapters
        self._credentials = credentials
        self._rng = rng
        self._recording = Recording(ids=ids)
        self._restraint = restraint or Restraint()
        self._batches = BatchDrain(db=db, clock=clock, recording=self._recording, restraint=self._restraint)

    async def drain(self, lane: Lane, epoch: int) -> datetime | None:
        """Carry out what is due; see core.dispatch.Drain."""

        async def find(busy: frozenset[Hashable]) -> Found:
            chosen, more = await self._choose(lane, {key for key in busy if isinstance(key, Seat | Heap)})
            return Found({key: self._job(key, work, lane, epoch) for key, work in chosen.items()}, more)

        await pump(find, self._db.woken(lane))
        async with self._db.glance() as session:
            return await grants.next_due(session, lane)

    def _job(self, key: Seat | Heap, work: _Work, lane: Lane, epoch: int) -> Coroutine[Any, Any, None]:
        if isinstance(key, Seat):
            return self._serve(work, lane, epoch)
        return self._batches.serve(work.adapter, key, lane, epoch, self._failed, partial(self._admit, work))

    async def _choose(self, lane: Lane, busy: set[Seat | Heap]) -> tuple[dict[Seat | Heap, _Work], bool]:
        """Fill the free places, a few for each space: one with a thousand grants waiting, or a slow one, must not hold up the others.

        Returns what to start, and whether something that is due had to be left.
        """
        chosen: dict[Seat | Heap, _Work] = {}
        left = False
        at_work = Counter(key.space for key in busy if isinstance(key, Seat))
        full: list[SpaceId] = []
        async with self._db.glance() as session:
            while len(busy) + len(chosen) < AT_ONCE:
                full = [space for space, number in at_work.items() if number >= PER_SPACE]
                heaps = [key.resource for key in (*busy, *chosen) if isinstance(key, Heap)]
                tasks = await grants.due(session, lane, self._clock.now(), BATCH, full, heaps)
                fresh = {key: work for key, work in self._grouped(tasks).items() if key not in busy and key not in chosen}
                for key, work in fresh.items():
                    if len(busy) + len(chosen) < AT_ONCE and (isinstance(key, Heap) or at_work[key.space] < PER_SPACE):
                        chosen[key] = work
                        at_work[key.space] += isinstance(key, Seat)
                    else:
                        left = True
                if len(tasks) < BATCH or not fresh:
                    break
                left = True
        return chosen, left or bool(full)

    def _grouped(self, tasks: Sequence[GrantTask]) -> dict[Seat | Heap, _Work]:
        """Group by seat, and by resource where the platform takes all changes of one in one call."""
        groups: dict[Seat | Heap, list[GrantTask]] = {}
        for task in tasks:
            space = task.space_row
            together = is_batched(self._adapters[space.platform], task)
            groups.setdefault(Heap(task.resource_row.id, space.id) if together else Seat(task.account.id, space.id), []).append(task)
        return {key: _Work(self._adapters[found[0].space_row.platform], tuple(found)) for key, found in groups.items()}

    async def _serve(self, work: _Work, lane: Lane, epoch: int) -> None:
        tasks = tuple(replace(task, first=task.grant.wanted and not task.grant.attempted) for task in work.tasks)
        work = replace(work, tasks=tasks)
        trouble: Exception | None = None
        held: frozenset[Resource] | None = frozenset()
        try:
            held = await self._look(work)
        except Exception as error:  # noqa: BLE001 - a poisoned row must not hold up the others
            trouble = error
            if not isinstance(error, ExternalError):
                _log.exception("looking at account %s failed", work.tasks[0].account.id)
        for task in work.tasks:
            if trouble is None and task.first and not await self._begin(task, held, lane, epoch):
                continue
            outcome = self._failed(trouble, task) if trouble is not None and task.first else await self._try(work, task, held)
            async with self._db.transaction() as session:
                await lanes.fence(session, lane, epoch)
                await self._recording.record(session, task, outcome, self._clock.now())
                if outcome.silent:
                    await retrying.put_off(session, task.space_row, self._clock.now())

    async def _try(self, work: _Work, task: GrantTask, held: frozenset[Resource] | None) -> Outcome:
        try:
            return await self._carry_out(work, task, held)
        except ExternalError as error:
            return self._failed(error, task)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - a poisoned row must not hold up the others
            _log.exception("grant %s failed", task.grant.id)
            return self._failed(error, task)

    def _failed(self, error: Exception, task: GrantTask) -> Outcome:
        if isinstance(error, PermanentError) and error.remedy is Remedy.OPERATOR and task.grant.error != str(error):
            _log.error("grant %s waits for the operator: %s", task.grant.id, error)
        return failed(error, task.grant, self._clock.now(), self._rng.random())

    async def _look(self, work: _Work) -> frozenset[Resource] | None:
        """Before the first gift, see what they have: that is not ours to take later."""
        if not any(task.first for task in work.tasks):
            return frozenset()
        first = work.tasks[0]
        return await work.adapter.holds(first.space_row.space, first.account.external_id)

    async def _begin(self, task: GrantTask, held: frozenset[Resource] | None, lane: Lane, epoch: int) -> bool:
        """Write down that we are about to give this one; sooner, the power could go, and a gift of the creator's look like ours.

        Returns False when the row has changed since it was read: then we look afresh.
        """
        async with self._db.transaction() as session:
            await lanes.fence(session, lane, epoch)
            found = held is not None and task.resource in held
            if not await grants.attempt(session, task.grant, found=found):
                will_wake(session, lane)
                return False
        task.grant.found, task.grant.attempted = found, True
        return True

    async def _carry_out(self, work: _Work, task: GrantTask, held: frozenset[Resource] | None) -> Outcome:
        if not task.grant.wanted:
            return await self._revoke(work, task)
        if held is not None and task.grant.found:
            return done(Actual.GRANTED, "had it before")
        if held is None:
            return await self._admit(work, task, MemberUnreachable("not in the space", code="not_inside"))
        try:
            await work.adapter.grant(task.resource, task.account.external_id, reason=GRANTED)
        except MemberUnreachable as error:
            return await self._admit(work, task, error)
        return done(Actual.GRANTED)

    async def _revoke(self, work: _Work, task: GrantTask) -> Outcome:
        self._restraint.check()
        out = await left_out(work.adapter, task)  # first: by an invite that is out the role would come back
        if task.grant.found or not task.grant.attempted:
            return done(Actual.UNKNOWN, "not ours to take")
        try:
            await work.adapter.revoke(task.resource, task.account.external_id, reason=REVOKED)
        except ResourceMissing as error:
            return done(Actual.REVOKED, error.code)
        except MemberUnreachable as error:
            if out:
                return watched(task.grant, error.code, out, self._clock.now(), self._rng.random())
            return done(Actual.REVOKED, error.code)
        return done(Actual.REVOKED, carried=bool(out))

    async def _admit(self, work: _Work, task: GrantTask, error: MemberUnreachable) -> Outcome:
        """Bring the payer in: with their own token, else by an invite they open themselves; it is made once."""
        if not isinstance(work.adapter, Admission) or task.grant.door:
            return blocked(error, invite_url=task.grant.door, carried=not task.first)
        await left_out(work.adapter, task)
        user, space = task.account.external_id, task.space_row.space
        subject = f"{task.account.realm}:{user}"
        token = await self._credentials.get(task.account.platform, subject, JOIN_TOKEN)
        admitted = await work.adapter.admit(space, user, token, [task.resource], reason=GRANTED)
        if admitted.outcome is AdmissionOutcome.INVITED:
            return blocked(error, invite_url=admitted.invite_url, carried=admitted.carries, invited=admitted.carries)
        async with self._db.glance() as session:
            elsewhere = await retrying.waits_elsewhere(session, task.account.id, task.space_row.id)
        if not elsewhere:
            await self._credentials.forget(task.account.platform, subject, JOIN_TOKEN)
        await work.adapter.grant(task.resource, user, reason=GRANTED)
        return done(Actual.GRANTED, str(admitted.outcome))
