"""People coming and going in a space."""

from datetime import datetime

from core.clock import Clock
from core.errors import Remedy
from core.ids import CauseId, Ids, PlatformUserId
from core.people import Identity
from core.platform import Space
from membership.outcome import INVITE_LASTS
from storage import accounts, grants, retrying, spaces
from storage.audit import Trail, record
from storage.database import Database, Session, will_wake
from storage.grants import Actual, GrantRow, GrantStatus


class Members:
    """What a join or a leave means for the grants of whoever came or went."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def joined(self, space: Space, user: PlatformUserId, *, at: datetime, cause: CauseId) -> None:
        """Whoever comes in has nothing yet: give what is paid for. What the platform told us after ``at`` stands."""
        async with self._db.transaction() as session:
            trail = Trail(self._ids, self._clock.now(), cause)
            for row in await self._rows(session, space, user, at):
                if not row.wanted and row.status != GrantStatus.DONE and not _invited(row):
                    continue
                before = row.facts
                _nothing_held(row)
                brought = not row.wanted and row.attempted and row.changed_at > trail.at - INVITE_LASTS
                row.status = GrantStatus.PENDING if row.wanted or brought else GrantStatus.DONE
                row.due_at, row.attempts, row.error, row.error_code, row.remedy = trail.at, 0, "", "", None
                row.invited_at = None if row.wanted else row.invited_at
                row.version += 1
                session.add(row)
                record(session, trail, row.community_id, "grant.joined", ("grant", row.id), member=row.member_id,
                       before=before, after=row.facts)  # fmt: skip
                will_wake(session, row.lane)

    async def present(self, space: Space, user: PlatformUserId, *, cause: CauseId) -> None:
        """Somebody who acts in the space is in it: give what waited for them to come, though nobody told us that they came."""
        async with self._db.glance() as session:
            waiting = await retrying.waiting_for(session, space, user)
        if waiting:
            await self.joined(space, user, at=self._clock.now(), cause=cause)

    async def left(self, space: Space, user: PlatformUserId, *, at: datetime, cause: CauseId) -> None:
        """Whoever leaves holds nothing any more; what is paid for waits until they are back."""
        async with self._db.transaction() as session:
            trail = Trail(self._ids, self._clock.now(), cause)
            for row in await self._rows(session, space, user, at):
                if not row.wanted and _invited(row):
                    continue  # they may come back by it
                before = row.facts
                _nothing_held(row)
                row.attempted = False
                row.status = GrantStatus.BLOCKED if row.wanted else GrantStatus.DONE
                row.remedy = Remedy.MEMBER if row.wanted else None
                row.error, row.error_code = ("left the space", "left") if row.wanted else ("", "")
                row.version += 1
                session.add(row)
                record(session, trail, row.community_id, "grant.left", ("grant", row.id), member=row.member_id,
                       before=before, after=row.facts)  # fmt: skip

    async def _rows(self, session: Session, space: Space, user: PlatformUserId, at: datetime) -> list[GrantRow]:
        row = await spaces.find(session, space)
        if row is None:
            return []
        account = await accounts.find(session, row.community_id, Identity(space.platform, space.realm, user, ""))
        if account is None:
            return []
        tasks = await grants.of_account(session, account.id, row)
        return [task.grant for task in tasks if task.grant.checked_at is None or task.grant.checked_at <= at]


def _invited(row: GrantRow) -> bool:
    """Whether the drain still looks after an invite of ours that is out and carries what it was for."""
    return row.status == GrantStatus.PENDING and row.attempted and row.invited_at is not None


def _nothing_held(row: GrantRow) -> None:
    """Outside the space nobody holds anything: what they had before us is gone too.

    ``attempted`` stays where we gave: a join may be told of somebody who never left, and what they hold then is what we gave. Where
    we found it and gave nothing, we look afresh.
    """
    row.attempted = row.attempted and not row.found
    row.actual, row.found = Actual.UNKNOWN if row.wanted else Actual.REVOKED, False
