"""Who somebody is in a workspace: name, rights, address. Remembered for a minute, as rights may be taken away."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapters.slack.client import Slack
from core.clock import Clock
from core.ids import PlatformUserId
from core.platform import Space

_REMEMBERED = timedelta(seconds=60)
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Somebody:
    """A user of a workspace, or of its organisation only: then they are not ``inside``, nor is who is ``deactivated``."""

    id: PlatformUserId
    name: str
    inside: bool
    deactivated: bool = False
    can_manage: bool = False
    guest: bool = False
    bot: bool = False
    email: str = ""
    confirmed: bool = False
    """They have shown Slack that mail to the address reaches them."""
    updated: int = 0
    """When Slack last changed anything about them, in seconds since 1970."""


class People:
    """Asks Slack and remembers."""

    def __init__(self, slack: Slack, clock: Clock) -> None:
        self._slack, self._clock = slack, clock
        self._known: OrderedDict[tuple[Space, PlatformUserId], tuple[datetime, Somebody]] = OrderedDict()
        self._names: OrderedDict[PlatformUserId, str] = OrderedDict()

    async def of(self, space: Space, user: PlatformUserId) -> Somebody:
        """Return who ``user`` is; MemberUnreachable when nobody in ``space`` has that id."""
        known = self._known.get((space, user))
        if known is not None and self._clock.now() < known[0] + _REMEMBERED:
            return known[1]
        return await self.fresh(space, user)

    async def fresh(self, space: Space, user: PlatformUserId) -> Somebody:
        """The same, asked now."""
        found = somebody((await self._slack.call(space, "users.info", user=user))["user"], space)
        self._known[space, user] = (self._clock.now(), found)
        self.remember(user, found.name)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found

    def remember(self, user: PlatformUserId, name: str) -> None:
        """Keep a name that Slack told us by the way."""
        self._names[user] = name
        while len(self._names) > _MOST:
            self._names.popitem(last=False)

    def known(self, user: PlatformUserId) -> str:
        """Return the name ``user`` was last seen with, else the id: that alone does not say in which workspace to ask."""
        return self._names.get(user, str(user))


def somebody(user: dict[str, Any], space: Space) -> Somebody:
    """Read Slack's user object."""
    profile = user.get("profile") or {}
    teams = (user.get("enterprise_user") or {}).get("teams")
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    deleted = bool(user.get("deleted"))
    return Somebody(
        PlatformUserId(user["id"]),
        next((str(name) for name in names if name), user["id"]),
        inside=not deleted and (teams is None or space.external_id in teams),
        deactivated=deleted,
        can_manage=bool(user.get("is_admin") or user.get("is_owner")),
        guest=bool(user.get("is_restricted")),
        bot=bool(user.get("is_bot")),
        email=str(profile.get("email") or ""),
        confirmed=bool(user.get("is_email_confirmed")),
        updated=int(user.get("updated") or 0),
    )
