from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sandbox.discord.errors import Payload, invalid
from sandbox.discord.guilds import Guild
from sandbox.discord.oauth import Authorization
from sandbox.discord.shapes import number, snowflake
from sandbox.discord.users import User
from sandbox.discord.world import World


class Who(Enum):
    """Who may call a route."""

    BOT = "bot"
    PERSON = "bearer"
    EITHER = "either"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: ``payload`` as JSON, or ``text`` as it is; neither with 204."""

    status: int = 200
    payload: object = None
    text: str | None = None
    content_type: str = "application/json"


NOTHING = Answer(204)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, already authenticated: ``actor`` is the bot, or the person whose token was sent."""

    world: World
    actor: User
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    reason: str | None = None
    authorization: Authorization | None = None
    gateway_url: str = ""

    def id(self, name: str) -> int:
        """Return the id called ``name`` in the path; 50035 when it is not one."""
        return snowflake(self.path[name], name)

    @property
    def guild(self) -> Guild:
        """The server in the path; 10004 when unknown, 50001 when the caller is not in it."""
        return self.world.guild_for(self.actor.id, self.id("guild_id"))

    @property
    def fields(self) -> Payload:
        """The body as an object; 50035 when it is something else."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise invalid({"": ("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")})
        return self.body

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Return a whole number of the query; 50035 outside ``lowest`` to ``highest``."""
        return number(self.query.get(name, default), name, lowest, highest)

    def optional_id(self, name: str) -> int | None:
        """Return an id of the query, if it is there."""
        return snowflake(self.query[name], name) if name in self.query else None


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route: method, path with ``{names}``, what it does, its rate limit bucket and who may call it."""

    method: str
    path: str
    handler: Handler
    bucket: str = "default"
    who: Who = Who.BOT
    counted: bool = True
