"""What an app asks for on the authorise page, checked before anyone sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yarl import URL

from sandbox.discord.oauth import SCOPES

if TYPE_CHECKING:
    from sandbox.discord.world import World

SCOPE_WORDS: dict[str, str] = {
    "identify": "See your user name, avatar and banner",
    "email": "See your e-mail address",
    "guilds": "Know what servers you are in",
    "guilds.join": "Join servers for you",
    "guilds.members.read": "Read your member info (nickname, roles) in servers you are in",
    "connections": "See your third-party connections",
    "bot": "Add a bot to a server",
    "applications.commands": "Create commands",
    "role_connections.write": "Update your connection and metadata",
}


class TurnedAwayError(Exception):
    """The request is wrong: shown on a page, or sent back to ``redirect`` where that address is known to be the app's."""

    def __init__(self, message: str, redirect: str | None = None) -> None:
        super().__init__(message)
        self.redirect = redirect


@dataclass(frozen=True, slots=True)
class Request:
    """A sound request for consent."""

    scopes: tuple[str, ...]
    redirect_uri: str
    state: str | None
    permissions: int
    guild_id: str | None

    @property
    def installs(self) -> bool:
        return "bot" in self.scopes

    def allowed(self, code: str, extra: Mapping[str, str]) -> str:
        """Return where the browser goes with the code."""
        return self._back({"code": code, **extra})

    def denied(self) -> str:
        """Return where the browser goes when the person said no."""
        return self._back({"error": "access_denied", "error_description": "The resource owner or authorization server denied the request"})

    def _back(self, query: Mapping[str, str]) -> str:
        return back(self.redirect_uri, self.state, query)


def back(redirect_uri: str, state: str | None, query: Mapping[str, str]) -> str:
    """Return the redirect URI with ``query`` and, if there was one, the state added."""
    return str(URL(redirect_uri).update_query({**query, **({"state": state} if state is not None else {})}))


def examine(world: "World", query: Mapping[str, str]) -> Request:
    """Check the query of an authorise link; raises :class:`TurnedAwayError`."""
    if query.get("client_id") != str(world.app.id):
        raise TurnedAwayError("Unknown application. The link this page was opened with is wrong.")
    redirect_uri, state = query.get("redirect_uri", ""), query.get("state")
    scopes = tuple(dict.fromkeys(query.get("scope", "").split()))
    if redirect_uri and redirect_uri not in world.app.redirect_uris:
        raise TurnedAwayError("Invalid OAuth2 redirect_uri. Redirect URI is not supported by client.")
    if not scopes or not set(scopes) <= SCOPES:
        words = "The requested scope is invalid, unknown, or malformed."
        target = back(redirect_uri, state, {"error": "invalid_scope", "error_description": words}) if redirect_uri else None
        raise TurnedAwayError(words, target)
    if redirect_uri and query.get("response_type") != "code":
        words = "The authorization server does not support obtaining an authorization code using this method."
        raise TurnedAwayError(words, back(redirect_uri, state, {"error": "unsupported_response_type", "error_description": words}))
    if not redirect_uri and "bot" not in scopes and set(scopes) != {"applications.commands"}:
        raise TurnedAwayError("OAuth2 redirect_uri must be provided.")
    bits = query.get("permissions", "0")
    if not (bits.isascii() and bits.isdigit()):
        raise TurnedAwayError("Invalid permissions integer.")
    return Request(scopes, redirect_uri, state, int(bits), query.get("guild_id"))
