"""What the app may do in a workspace: as whom it is known there, and with which scopes."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.slack.client import Slack
from core.ids import PlatformUserId
from core.platform import Space

NEEDED: Mapping[str, str] = {
    "commands": "hear its command",
    "chat:write": "send messages",
    "im:write": "send direct messages",
    "users:read": "see who is an admin",
    "channels:read": "see public channels",
    "channels:manage": "manage who is in public channels",
    "groups:read": "see private channels",
    "groups:write": "manage who is in private channels",
    "usergroups:read": "see user groups",
    "usergroups:write": "manage user groups",
}
"""The least the app asks for, and what it could not do without."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Our user, its name, the workspace's name, and the scopes we hold."""

    user: PlatformUserId
    name: str
    team: str
    scopes: frozenset[str]


class Standings:
    """Asks Slack who we are. Our user id never changes while the app is installed, so that alone is remembered."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self._known: dict[Space, Standing] = {}

    async def of(self, space: Space) -> Standing:
        """Return who we are in ``space``; the scopes may have changed since."""
        return self._known.get(space) or await self.fresh(space)

    async def fresh(self, space: Space) -> Standing:
        """Ask now."""
        response = await self._slack.respond(space, "auth.test")
        scopes = next((value for name, value in response.headers.items() if name.lower() == "x-oauth-scopes"), "")
        names = frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
        self._known[space] = Standing(PlatformUserId(response["user_id"]), str(response.get("user")), str(response.get("team")), names)
        return self._known[space]

    async def lacking(self, space: Space, *scopes: str) -> list[str]:
        """Return a sentence for each of ``scopes`` (all there are, when none is named) that we do not hold."""
        held = (await self.fresh(space)).scopes
        return [
            f"The app may not {NEEDED[scope]}: it lacks the scope {scope}. Add it again from the setup page, so that it is asked for."
            for scope in scopes or NEEDED
            if scope not in held
        ]
