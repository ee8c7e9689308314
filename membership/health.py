"""Whether what is sold can be delivered: looked at afresh, a finding for each thing, with what to do where it cannot."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from core.errors import ExternalError, Refusal
from core.ids import CommunityId, PlatformName
from core.platform import PlatformAdapter, Probing
from storage import resources, troubles
from storage.communities import CommunityRow
from storage.database import Database
from storage.spaces import SpaceRow


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``text`` says how it is, or what is wrong and what to do."""

    what: str
    well: bool
    text: str


class Health:
    """Looks at spaces and what is sold in them; changes nothing."""

    def __init__(self, *, db: Database, adapters: Mapping[PlatformName, PlatformAdapter]) -> None:
        self._db = db
        self._adapters = adapters

    async def of_community(self, community: CommunityId) -> Sequence[Finding]:
        """Return how a community stands: each of its places, and whether anything of it is stopped."""
        async with self._db.reading() as session:
            places = await troubles.spaces_of(session, community)
            row = await session.get_one(CommunityRow, community)
        found = [finding for space in places async for finding in self.of_space(space)]
        if row.stopped_at is not None:
            found.append(Finding("Ends", well=False, text=f"{row.stopped_reason} Nobody loses anything until whoever runs me confirms it."))
        return found

    async def of_space(self, space: SpaceRow) -> AsyncIterator[Finding]:
        """Yield what is wrong in a place, or that nothing is."""
        adapter = self._adapters.get(space.platform)
        if not space.connected:
            yield Finding(space.name, well=False, text="I was removed from it, so nothing there is sold or given. Add me again.")
            return
        if adapter is None:
            yield Finding(space.name, well=False, text=f"Its platform, {space.platform}, is not set up here. See ADAPTERS.")
            return
        try:
            found = await self._wrong(adapter, space)
        except ExternalError as error:
            yield Finding(space.name, well=False, text=f"It cannot be examined: {error}")
            return
        for text in found:
            yield Finding(space.name, well=False, text=text)
        if not found:
            yield Finding(space.name, well=True, text="Permissions and every plan's resources are in order.")

    async def _wrong(self, adapter: PlatformAdapter, space: SpaceRow) -> list[str]:
        found = list(await adapter.findings(space.space)) if isinstance(adapter, Probing) else []
        async with self._db.reading() as session:
            offered = await resources.on_offer(session, space.id)
        for resource in offered:
            try:
                await adapter.check(resource.resource(space.space))
            except Refusal as refusal:
                found.append(f"{resource.name}: {refusal.message}")
        return found
