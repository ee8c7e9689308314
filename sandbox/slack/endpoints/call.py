"""One call of a method: who asks, with what, and the refusals that every method shares."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload, RefusedError, invalid_arguments
from sandbox.slack.tokens import Token
from sandbox.slack.users import User
from sandbox.slack.workspaces import Workspace
from sandbox.slack.world import World

T = TypeVar("T")
Who = Literal["anyone", "client", "token", "app"]
"""Nobody in particular; the app by its client id and secret; a bot's or person's token; the app-level token."""
_TRUE, _MOST = frozenset({"1", "true", "True"}), 1000


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments as sent (form fields are text, JSON bodies keep their types), and on whose behalf."""

    world: World
    args: Payload
    token: Token | None = None
    team_id: str = ""
    """The workspace it is about where the token is a whole organisation's; else it is the token's own."""

    @property
    def granted(self) -> Token:
        """The token, which methods for tokens always have."""
        if self.token is None:
            raise RefusedError("not_authed")
        return self.token

    @property
    def workspace(self) -> Workspace:
        return self.world.workspaces[self.team_id or self.granted.team_id]

    @property
    def actor(self) -> User:
        return self.workspace.users[self.granted.user_id]

    def need(self, *scopes: str) -> None:
        """Refuse a token that has none of the scopes; the first one is named as needed."""
        held = self.granted.scopes
        if not held.intersection(scopes):
            raise RefusedError("missing_scope", needed=scopes[0], provided=",".join(sorted(held)))

    def text(self, name: str, default: str | None = None) -> str:
        """Return an argument as text; without a default it is required."""
        value = self.args.get(name)
        if value is None:
            if default is None:
                raise invalid_arguments(f"missing required field: {name}")
            return default
        return value if isinstance(value, str) else json.dumps(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value, sent as true, 1 or "true"."""
        value = self.args.get(name)
        return default if value is None else value if isinstance(value, bool) else str(value) in _TRUE

    def names(self, name: str, default: str | None = None) -> list[str]:
        """Return a list, sent as JSON or separated by commas."""
        value = self.args.get(name, default)
        if isinstance(value, list):
            return [str(one) for one in value]
        return [one.strip() for one in self.text(name, default).split(",") if one.strip()]

    def structure(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return an argument that is JSON, also when it comes as text; None when it is not there."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise invalid_arguments(f"must be valid JSON: {name}") from None

    def channel(self, name: str = "channel") -> Channel:
        """Return a channel the caller can see: a public one, or one they are in."""
        found = self.workspace.channels.get(self.text(name))
        if found is None or ((found.private or self.actor.is_guest) and self.actor.id not in found.members):
            raise RefusedError("channel_not_found")
        return found

    def page(self, items: Sequence[T], default: int = 100) -> tuple[list[T], Payload]:
        """Return the page of ``items`` that ``cursor`` and ``limit`` ask for, and its ``response_metadata``."""
        limit = self.text("limit", "0") or "0"
        if not limit.isdecimal() or int(limit) > _MOST:
            raise RefusedError("invalid_limit")
        begin = _position(self.text("cursor", ""), len(items))
        end = begin + (int(limit) or default)
        following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
        return list(items[begin:end]), {"response_metadata": {"next_cursor": following}}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method. ``scopes``: any one will do; none: the method needs no scope, or asks by itself. ``people_only``: no bot may call it."""

    method: str
    tier: str
    handler: Callable[[Call], Payload]
    scopes: tuple[str, ...] = ()
    who: Who = "token"
    people_only: bool = False


def _position(cursor: str, length: int) -> int:
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise RefusedError("invalid_cursor") from None
    if word != "next" or not number.isdecimal() or int(number) > length:
        raise RefusedError("invalid_cursor")
    return int(number)


def when(condition: object, error: str) -> None:
    """Refuse with ``error`` when the condition is true."""
    if condition:
        raise RefusedError(error)
