"""Hands what platforms tell us to membership."""

from bots.requests import load_event
from core.ids import CauseId
from core.platform import EventKind, PlatformEvent
from membership.community import Communities
from membership.member import Members
from membership.space_link import SpaceLinks
from membership.suggestion import Suggestions
from membership.unblock import Unblocker
from storage.inbox import InboxRow


class EventRunner:
    """Carries out stored platform events; each may come twice."""

    def __init__(
        self, *, communities: Communities, members: Members, unblocker: Unblocker, links: SpaceLinks, suggestions: Suggestions
    ) -> None:
        self._communities = communities
        self._members = members
        self._unblocker = unblocker
        self._links = links
        self._suggestions = suggestions

    async def run(self, row: InboxRow) -> None:
        """Carry one event out. Raises ExternalError from what it calls."""
        event, cause = load_event(row.payload), CauseId(row.id)
        match event:
            case PlatformEvent(kind=EventKind.SPACE_ADDED, user=str(user)):
                await self._communities.space_added(event.space, event.name, user, cause=cause)
            case PlatformEvent(kind=EventKind.SPACE_REMOVED):
                await self._communities.space_removed(event.space, cause=cause)
            case PlatformEvent(kind=EventKind.MEMBER_JOINED, user=str(user)):
                await self._members.joined(event.space, user, at=event.at, cause=cause)
                await self._suggestions.joined(event.space, user, cause=cause)
                await self._links.joined(event.space, event.at)
            case PlatformEvent(kind=EventKind.MEMBER_LEFT, user=str(user)):
                await self._members.left(event.space, user, at=event.at, cause=cause)
            case PlatformEvent(kind=EventKind.RESOURCES_CHANGED):
                await self._unblocker.probe(event.space, cause=cause)
            case _:
                raise ValueError(f"a {event.kind} event names nobody")
