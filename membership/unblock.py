"""Look again at what waits for somebody, when something changed there or an hour has passed."""

from collections.abc import Mapping
from datetime import timedelta

from core.clock import Clock
from core.errors import ExternalError, PermanentError, Refusal, Remedy
from core.ids import CauseId, Ids, PlatformName
from core.platform import PlatformAdapter, Space
from membership.recording import broken
from storage import resources, retrying, spaces
from storage.audit import Trail, record
from storage.database import Database
from storage.resources import ResourceRow
from storage.spaces import SpaceRow

PROBE_EVERY = timedelta(hours=1)


class Unblocker:
    """Probes: one check for each resource on offer, never one for each member."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, adapters: Mapping[PlatformName, PlatformAdapter]) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._adapters = adapters

    async def probe(self, space: Space, *, cause: CauseId) -> None:
        """Check everything on offer in a space: what works is sold and granted again, what does not is paused and told."""
        async with self._db.reading() as session:
            row = await spaces.find(session, space)
            if row is None or not row.connected:
                return
            offered = await resources.on_offer(session, row.id)
        for resource in offered:
            await self._check(row, resource, cause)

    async def _check(self, space: SpaceRow, resource: ResourceRow, cause: CauseId) -> None:
        problem, code = "", ""
        try:
            adapter = self._adapters.get(space.platform)
            if adapter is None:
                return
            await adapter.check(resource.resource(space.space))
        except Refusal as refusal:
            problem, code = refusal.message, refusal.code
        except PermanentError as error:
            if error.remedy is not Remedy.CREATOR:
                return
            problem, code = str(error), error.code
        except ExternalError:
            return  # nothing learnt; the next probe will
        async with self._db.transaction() as session:
            trail = Trail(self._ids, self._clock.now(), cause)
            row = await resources.held_for_change(session, resource.id)
            if problem:
                await broken(session, row, problem, code, trail)
                return
            row.found_well += 1
            session.add(row)
            if row.problem and not await retrying.waits_for_creator(session, row.id):  # else the next grant that works says so
                before = {"problem": row.problem}
                row.problem, row.problem_code = "", ""
                record(session, trail, row.community_id, "resource.mended", ("resource", row.id), before=before)
            await retrying.unblock_resource(session, row.id, trail)
