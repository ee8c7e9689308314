"""Who reads what is sold because somebody inside brought them in. They are never taken out by us; the creator is told of each once."""

import logging
from collections.abc import Mapping

from core.causality import Origin, new_cause
from core.clock import Clock
from core.errors import ExternalError
from core.events import Notice, NoticeKind
from core.ids import CauseId, Ids, PlatformName, PlatformUserId
from core.platform import PlatformAdapter, ResourceKind
from storage import uninvited
from storage.audit import Trail, record
from storage.database import Database
from storage.outbox import add_notice
from storage.resources import ResourceRow
from storage.spaces import SpaceRow

NAMED = 20
"""So many people one notice names; it counts the others."""
_log = logging.getLogger(__name__)


class Uninvited:
    """Compares who is in a channel with who is to be. A role or a group is given by those who manage it; a channel by anybody in it."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, adapters: Mapping[PlatformName, PlatformAdapter]) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._adapters = adapters

    async def run(self) -> None:
        """Look through every channel that is sold; one that gives no answer waits for the next run."""
        cause = new_cause(self._ids, Origin.LOOK)
        async with self._db.reading() as session:
            found = await uninvited.sold(session, ResourceKind.CHANNEL, list(self._adapters))
        for resource, space in found:
            try:
                people = await self._strangers(resource, space)
            except ExternalError as error:
                _log.info("nobody says who is in resource %s: %s", resource.id, error)
                continue
            await self._tell(resource, space, people, cause)

    async def _strangers(self, resource: ResourceRow, space: SpaceRow) -> set[PlatformUserId]:
        """Return who is inside and should not be; who was to be at any moment of the look is none of them."""
        async with self._db.reading() as session:
            before = await uninvited.let_in(session, resource.id)
        inside = {user async for user in self._adapters[space.platform].holders(resource.resource(space.space))}
        async with self._db.reading() as session:
            after = await uninvited.let_in(session, resource.id)
        return inside - before - after - {space.installer}

    async def _tell(self, resource: ResourceRow, space: SpaceRow, people: set[PlatformUserId], cause: CauseId) -> None:
        trail = Trail(self._ids, self._clock.now(), cause)
        async with self._db.transaction() as session:
            new = await uninvited.note(session, resource, people, trail.at)
            if not new:
                return
            record(session, trail, resource.community_id, "uninvited.found", ("resource", resource.id), after={"people": len(new)})
            about = {"resource": resource.name, "place": space.name, "space": space.id}
            facts = {"people": new[:NAMED], "more": max(0, len(new) - NAMED), **about}
            await add_notice(session, trail, resource.community_id, Notice(NoticeKind.UNINVITED, facts))
