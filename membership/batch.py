"""Many changes of one resource in one call, where the platform works that way: a list that is replaced whole."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from core.clock import Clock
from core.dispatch import Lane
from core.errors import ExternalError, MemberUnreachable, RateLimited
from core.ids import PlatformUserId, ResourceId, SpaceId
from core.platform import BatchGrants, PlatformAdapter
from core.slices import slices
from membership.outcome import Outcome, done
from membership.recording import Recording
from membership.restraint import Restraint
from membership.withdrawal import left_out
from storage import grants, lanes
from storage.database import Database
from storage.grants import Actual, GrantTask

MOST = 5_000
"""How many changes one call carries at the most; the rest follow in the next."""
TOGETHER = 50
"""How many outcomes are written in one transaction: few enough that whoever else writes waits for milliseconds."""
_log = logging.getLogger(__name__)
Failed = Callable[[Exception, GrantTask], Outcome]
Admit = Callable[[GrantTask, MemberUnreachable], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Heap:
    """All that waits for one resource: what is done at a time by one piece of work."""

    resource: ResourceId
    space: SpaceId


def is_batched(adapter: PlatformAdapter, task: GrantTask) -> bool:
    """Whether a grant is carried out together with the others of its resource."""
    return isinstance(adapter, BatchGrants) and task.resource_row.kind in adapter.batched_kinds


class BatchDrain:
    """Carries a heap out: one look at who has it, one call, everything recorded."""

    def __init__(self, *, db: Database, clock: Clock, recording: Recording, restraint: Restraint) -> None:
        self._db = db
        self._clock = clock
        self._recording = recording
        self._restraint = restraint

    async def serve(self, adapter: PlatformAdapter, heap: Heap, lane: Lane, epoch: int, failed: Failed, admit: Admit) -> None:
        """Carry out what is due of a resource. ``failed`` says what an error makes of a grant, ``admit`` brings somebody in first."""
        async with self._db.glance() as session:
            due = await grants.due_of_resource(session, lane, self._clock.now(), heap.resource, MOST)
        tasks = [replace(task, first=task.grant.wanted and not task.grant.attempted) for task in due]
        trouble: ExternalError | None = None
        try:
            tasks = await self._begin(adapter, tasks, lane, epoch)
        except ExternalError as error:
            trouble = error
        outcomes = [failed(trouble, task) for task in tasks] if trouble else await self._apply(adapter, tasks, failed, admit)
        for some in slices(list(zip(tasks, outcomes, strict=True)), TOGETHER):
            async with self._db.transaction() as session:
                await lanes.fence(session, lane, epoch)
                for task, outcome in some:
                    await self._recording.record(session, task, outcome, self._clock.now())

    async def _begin(self, adapter: PlatformAdapter, tasks: Sequence[GrantTask], lane: Lane, epoch: int) -> list[GrantTask]:
        """See who has it before our first gift, and write down that we are about to give; leaves out what has changed meanwhile."""
        first = [task for task in tasks if task.first]
        if not first:
            return list(tasks)
        held = {user async for user in adapter.holders(first[0].resource)}
        changed = set()
        for some in slices(first, TOGETHER):
            async with self._db.transaction() as session:
                await lanes.fence(session, lane, epoch)
                rows = await grants.held_for_change(session, [task.grant.id for task in some])
                for task in some:
                    row = rows.get(task.grant.id)
                    if row is None or row.version != task.grant.version:
                        changed.add(task.grant.id)
                        continue
                    row.found, row.attempted = task.account.external_id in held, True
                    task.grant.found, task.grant.attempted = row.found, True
                    session.add(row)
        return [task for task in tasks if task.grant.id not in changed]

    async def _apply(self, adapter: PlatformAdapter, tasks: Sequence[GrantTask], failed: Failed, admit: Admit) -> list[Outcome]:
        gains = frozenset(task.account.external_id for task in tasks if task.grant.wanted and not task.grant.found)
        losses = frozenset(task.account.external_id for task in tasks if not task.grant.wanted and _ours(task))
        waiting: dict[PlatformUserId, Exception | None] = {}
        try:
            self._restraint.check()
        except RateLimited as error:
            waiting, losses = dict.fromkeys(losses, error), frozenset()
        answers: dict[PlatformUserId, Exception | None] = {}
        troubles = await self._withdraw(adapter, tasks)
        if gains or losses:
            assert isinstance(adapter, BatchGrants)  # noqa: S101 - only such a heap is made
            try:
                answers = dict(await adapter.apply(tasks[0].resource, gains, losses, reason="Memberships have changed"))
            except ExternalError as error:
                answers = dict.fromkeys(gains | losses, error)
            except Exception as error:  # noqa: BLE001 - a poisoned resource must not hold up the others
                _log.exception("changing resource %s failed", tasks[0].resource_row.id)
                answers = dict.fromkeys(gains | losses, error)
        answers |= waiting | troubles
        return [await self._outcome(task, answers.get(task.account.external_id), failed, admit) for task in tasks]

    async def _withdraw(self, adapter: PlatformAdapter, tasks: Sequence[GrantTask]) -> dict[PlatformUserId, Exception | None]:
        """Take back the invites of those who are to come no more, and return whose asks for another try."""
        troubles: dict[PlatformUserId, Exception | None] = {}
        for task in tasks:
            if task.grant.wanted:
                continue
            try:
                if not await left_out(adapter, task):
                    task.grant.invited_at = None
            except ExternalError as error:
                troubles[task.account.external_id] = error
        return troubles

    async def _outcome(self, task: GrantTask, error: Exception | None, failed: Failed, admit: Admit) -> Outcome:
        if not task.grant.wanted and not _ours(task) and error is None:
            return done(Actual.UNKNOWN, "not ours to take")
        if task.grant.wanted and task.grant.found:
            return done(Actual.GRANTED, "had it before")
        if error is None:
            return done(Actual.GRANTED if task.grant.wanted else Actual.REVOKED)
        if task.grant.wanted and isinstance(error, MemberUnreachable):
            try:
                return await admit(task, error)
            except ExternalError as problem:
                return failed(problem, task)
        return failed(error, task)


def _ours(task: GrantTask) -> bool:
    return task.grant.attempted and not task.grant.found
