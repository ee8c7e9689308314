"""The outbox on a work lane: reconcile members, send notices."""

import asyncio
import logging
import random
from collections.abc import Coroutine, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.backoff import MAX_ATTEMPTS, backoff
from core.clock import Clock
from core.dispatch import Lane
from core.errors import RateLimited, TransientError
from core.ids import CauseId, CommunityId, MemberId
from core.pump import Found, pump
from membership.notice import Notices
from membership.reconcile import Reconciler
from storage import lanes, notices, work
from storage.database import Database
from storage.outbox import OutboxKind, OutboxRow

BATCH = 100
MESSAGES_AT_ONCE = 4
TOGETHER = 8
"""Members reconciled in one transaction: few enough that whoever waits to write, a webhook say, waits for milliseconds."""
AT_A_TIME = 2
"""Such transactions waiting to write at a time, over all lanes."""
Members = Mapping[tuple[CommunityId, MemberId], list[OutboxRow]]
_log = logging.getLogger(__name__)


class OutboxDrain:
    """Works off the outbox rows of a lane."""

    def __init__(self, *, db: Database, clock: Clock, reconciler: Reconciler, notices: Notices, rng: random.Random) -> None:
        self._db = db
        self._clock = clock
        self._reconciler = reconciler
        self._notices = notices
        self._rng = rng
        self._turns = asyncio.Semaphore(AT_A_TIME)

    async def drain(self, lane: Lane, epoch: int) -> datetime | None:
        """Carry out what is due, access before words; see core.dispatch.Drain."""

        async def find(busy: frozenset[Hashable]) -> Found:
            async with self._db.glance() as session:
                rows = await work.due(session, OutboxRow, lane, self._clock.now(), BATCH)
            return self._jobs(lane, epoch, rows, busy)

        await pump(find, self._db.woken(lane))
        async with self._db.glance() as session:
            return await work.next_due(session, lane)

    def _jobs(self, lane: Lane, epoch: int, rows: Sequence[OutboxRow], busy: frozenset[Hashable]) -> Found:
        """Reconcile every member who is due, and send a few notices beside it: a message that waits holds nobody's access up."""
        members: dict[tuple[CommunityId, MemberId], list[OutboxRow]] = {}
        for row in rows:
            if row.kind == OutboxKind.RECONCILE:
                members.setdefault((row.community_id, MemberId(row.subject)), []).append(row)
        waiting = [key for key in members if not any(isinstance(other, frozenset) and key in other for other in busy)]
        jobs: dict[Hashable, Coroutine[Any, Any, None]] = {}
        for start in range(0, len(waiting), TOGETHER):
            some = {key: members[key] for key in waiting[start : start + TOGETHER]}
            jobs[frozenset(some)] = self._reconcile_some(lane, epoch, some)
        sending = sum(isinstance(key, str) for key in busy)
        notices = [row for row in rows if row.kind == OutboxKind.NOTICE and row.id not in busy]
        free = max(0, MESSAGES_AT_ONCE - sending)
        more = len(notices) > free or len(rows) >= BATCH or len(waiting) < len(members)
        return Found({**jobs, **{row.id: self._send(lane, epoch, row) for row in notices[:free]}}, more)

    async def _reconcile_some(self, lane: Lane, epoch: int, members: Members) -> None:
        """Reconcile a few members in one transaction; when one of them is poisoned, each in its own."""
        async with self._turns:
            try:
                async with self._db.transaction() as session:
                    await lanes.fence(session, lane, epoch)
                    for (community, member), rows in members.items():
                        await self._reconciler.reconcile(session, community, member, cause=CauseId(rows[-1].cause_id))
                    ids = [row.id for rows in members.values() for row in rows]
                    await work.finish(session, OutboxRow, ids, self._clock.now())
            except lanes.Fenced:
                raise
            except Exception as error:  # noqa: BLE001 - found out below whose fault it is
                _log.info("reconciling %d members together failed: %s", len(members), type(error).__name__)
            else:
                return
            for (community, member), rows in members.items():
                await self._reconcile(lane, epoch, community, member, rows)

    async def _reconcile(self, lane: Lane, epoch: int, community: CommunityId, member: MemberId, rows: list[OutboxRow]) -> None:
        """Decide and write in one transaction with the rows that asked for it."""
        try:
            async with self._db.transaction() as session:
                await lanes.fence(session, lane, epoch)
                await self._reconciler.reconcile(session, community, member, cause=CauseId(rows[-1].cause_id))
                await work.finish(session, OutboxRow, [row.id for row in rows], self._clock.now())
        except lanes.Fenced:
            raise
        except Exception as error:  # noqa: BLE001 - a poisoned member must not hold up the others
            _log.exception("reconciling member %s failed", member)
            await self._postpone(lane, epoch, rows, error)

    async def _send(self, lane: Lane, epoch: int, row: OutboxRow) -> None:
        try:
            reached = await self._notices.send(row)
        except lanes.Fenced:
            raise
        except Exception as error:  # noqa: BLE001 - a failed message never fails anything else
            _log.info("notice %s did not go out: %s", row.id, type(error).__name__)
            await self._postpone(lane, epoch, [row], error)
            return
        async with self._db.transaction() as session:
            await lanes.fence(session, lane, epoch)
            kept = await session.get_one(OutboxRow, row.id)
            kept.undelivered = not reached
            session.add(kept)
            await work.finish(session, OutboxRow, [row.id], self._clock.now())

    async def _postpone(self, lane: Lane, epoch: int, rows: list[OutboxRow], error: Exception) -> None:
        attempts = max(row.attempts for row in rows)
        if isinstance(error, RateLimited):
            wait, counted = backoff(1, 1.0) * error.retry_after, 0
        else:
            wait, counted = backoff(attempts + 1, self._rng.random()), 1
        dead = attempts + counted >= MAX_ATTEMPTS and not isinstance(error, TransientError) and rows[0].kind == OutboxKind.NOTICE
        async with self._db.transaction() as session:
            await lanes.fence(session, lane, epoch)
            why = f"{type(error).__name__}: {error}"[:500]
            ids = [row.id for row in rows]
            await work.postpone(session, OutboxRow, ids, self._clock.now() + wait, attempts + counted, why, dead=dead)
            if dead:
                await notices.keep(session, ids)
