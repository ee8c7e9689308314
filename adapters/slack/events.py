"""What Slack tells us without being asked, as the core's events. Whatever is not listed here is acknowledged and is nothing to us."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.slack.home import Home
from adapters.slack.installations import Installations
from adapters.slack.spaces import sent_from
from core.ids import PlatformUserId
from core.platform import EventKind, Inbound, PlatformEvent, Space

_OF_CHANNELS = frozenset(f"{kind}_{what}" for kind in ("channel", "group") for what in ("archive", "deleted", "rename", "unarchive"))
_OF_US = frozenset({"member_joined_channel", "member_left_channel"})
"""These are about people in channels, and only we ourselves matter here: a plan's channel can be opened, or not any more. People who
are added or leave by hand are found by comparing who holds what, since what follows from "joined the space" would grant it all anew."""
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Meant:
    kind: EventKind
    user: PlatformUserId | None = None
    name: str = ""


class Events:
    """Takes events. Slack's own id of each makes a second delivery harmless."""

    def __init__(self, installations: Installations, home: Home) -> None:
        self._installations, self._home = installations, home
        self._deactivated: OrderedDict[tuple[Space, str], None] = OrderedDict()

    async def take(self, body: Mapping[str, Any], inbound: Inbound) -> None:
        """Store what matters of it."""
        event, space = body["event"], sent_from(body)
        if event["type"] == "app_home_opened":
            await self._home.opened(body, inbound)
            return
        meant = self._meant(space, event, _ourselves(body)) if space is not None else None
        if meant is None or space is None:
            return
        at = datetime.fromtimestamp(int(body["event_time"]), UTC)
        if meant.kind is EventKind.SPACE_REMOVED and await self._came_back(space, at):
            return
        await inbound.on_event(PlatformEvent(str(body["event_id"]), meant.kind, space, at, meant.user, meant.name))
        if meant.kind is EventKind.SPACE_REMOVED:
            await self._installations.gone(space, at)

    async def _came_back(self, space: Space, at: datetime) -> bool:
        """A removal may be told late, after we were installed again."""
        installed = await self._installations.stored(space)
        return installed is not None and installed.installed_at > at

    def _meant(self, space: Space, event: Mapping[str, Any], ours: str) -> _Meant | None:
        kind: str = event["type"]
        if kind in _OF_CHANNELS or (kind in _OF_US and event.get("user") == ours):
            return _Meant(EventKind.RESOURCES_CHANGED)
        if kind == "subteam_updated":
            by_us = (event.get("subteam") or {}).get("updated_by") == ours
            return None if by_us else _Meant(EventKind.RESOURCES_CHANGED)
        if kind == "app_uninstalled" or (kind == "tokens_revoked" and (event.get("tokens") or {}).get("bot")):
            return _Meant(EventKind.SPACE_REMOVED)
        if kind in {"team_join", "user_change"} and isinstance(event.get("user"), Mapping):
            return self._person(space, kind, event["user"])
        return None

    def _person(self, space: Space, kind: str, user: Mapping[str, Any]) -> _Meant | None:
        """A change of somebody's profile only matters when their account was ended, or brought back after that."""
        if user.get("is_bot"):
            return None
        key = (space, str(user["id"]))
        if user.get("deleted"):
            self._deactivated[key] = None
            while len(self._deactivated) > _REMEMBERED:
                self._deactivated.popitem(last=False)
            return _Meant(EventKind.MEMBER_LEFT, PlatformUserId(key[1]))
        back = key in self._deactivated
        self._deactivated.pop(key, None)
        if kind == "team_join" or back:
            return _Meant(EventKind.MEMBER_JOINED, PlatformUserId(key[1]), str(user.get("real_name") or user.get("name") or ""))
        return None


def _ourselves(body: Mapping[str, Any]) -> str:
    """Return our own user id there, which each event says of whom it was sent to."""
    authorized = (body.get("authorizations") or [{}])[0]
    return str(authorized.get("user_id") or "") if authorized.get("is_bot") else ""
