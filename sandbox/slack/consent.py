"""What an app asks for on the authorise pages, checked before anyone sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yarl import URL

from sandbox.slack.manifest import BOT_SCOPES, USER_SCOPES

if TYPE_CHECKING:
    from sandbox.slack.world import World

SCOPE_WORDS: dict[str, str] = {
    "channels:join": "Join public channels",
    "channels:manage": "Manage public channels, and create new ones",
    "channels:read": "View basic information about public channels",
    "channels:write": "Manage a person's public channels",
    "channels:write.invites": "Invite members to public channels",
    "chat:write": "Send messages as the app",
    "chat:write.public": "Send messages to channels the app is not a member of",
    "commands": "Add shortcuts and slash commands",
    "conversations.connect:write": "Send Slack Connect invitations",
    "groups:read": "View basic information about private channels the app was added to",
    "groups:write": "Manage private channels the app was added to, and create new ones",
    "groups:write.invites": "Invite members to private channels",
    "im:read": "View basic information about direct messages with the app",
    "im:write": "Start direct messages with people",
    "team:read": "View the name, e-mail domain and icon of the workspace",
    "team.preferences:read": "Read the preferences of the workspace",
    "usergroups:read": "View user groups",
    "usergroups:write": "Create and manage user groups",
    "users:read": "View people in the workspace",
    "users:read.email": "View e-mail addresses of people in the workspace",
    "users.profile:read": "View profile details of people",
    "openid": "Confirm who you are",
    "email": "See your e-mail address",
    "profile": "See your name and picture",
}


class TurnedAwayError(Exception):
    """The request is wrong: shown on a page, because nobody can trust the address it would go back to."""


@dataclass(frozen=True, slots=True)
class Request:
    """A sound request. ``openid``: for signing in, otherwise for installing."""

    bot_scopes: tuple[str, ...]
    user_scopes: tuple[str, ...]
    redirect_uri: str
    state: str | None
    team: str | None
    openid: bool = False
    nonce: str | None = None

    def words(self) -> list[str]:
        """Return what it means, a line for each scope."""
        return [SCOPE_WORDS.get(one, one) for one in (*self.bot_scopes, *self.user_scopes)]

    def back(self, **query: str) -> str:
        """Return the redirect URI with ``query`` and the state, which Slack sends back empty when there was none."""
        return str(URL(self.redirect_uri).update_query({**query, "state": self.state or ""}))


def examine(world: "World", query: Mapping[str, str], *, openid: bool) -> Request:
    """Check the query of an authorise link."""
    if query.get("client_id") != world.app.client_id:
        raise TurnedAwayError("Invalid client_id parameter.")
    bot, people = _scopes(query.get("scope", "")), _scopes(query.get("user_scope", ""))
    if openid:
        bot, people = (), bot
        if query.get("response_type") != "code":
            raise TurnedAwayError("Invalid response_type parameter.")
        if "openid" not in people or not set(people) <= {"openid", "email", "profile"}:
            raise TurnedAwayError("Invalid scope parameter: openid is needed.")
    if not bot and not people:
        raise TurnedAwayError("No scopes requested.")
    unknown = sorted((set(bot) - BOT_SCOPES) | (set(people) - USER_SCOPES))
    if unknown:
        raise TurnedAwayError(f"Invalid permissions requested: {', '.join(unknown)}.")
    return Request(bot, people, _redirect(world, query), query.get("state"), query.get("team") or None, openid, query.get("nonce"))


def _redirect(world: "World", query: Mapping[str, str]) -> str:
    registered = world.app.redirect_uris
    given = query.get("redirect_uri") or (registered[0] if registered else "")
    if not any(given == one or given.startswith(one.rstrip("/") + "/") for one in registered):
        raise TurnedAwayError("redirect_uri did not match any configured URIs.")
    return given


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))
