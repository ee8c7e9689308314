"""What Discord's client builds when a person types a command: only what is registered, and only what fits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.discord.channels import Channel
from sandbox.discord.commands import GROUP, SUBCOMMAND
from sandbox.discord.errors import Payload
from sandbox.discord.guilds import Guild
from sandbox.discord.roles import Role
from sandbox.discord.users import User

if TYPE_CHECKING:
    from sandbox.discord.world import World

STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = 3, 4, 5, 6, 7, 8, 9, 10
_PLAIN: dict[int, tuple[type, ...]] = {STRING: (str,), INTEGER: (int,), BOOLEAN: (bool,), NUMBER: (int, float)}


class CannotError(Exception):
    """The client does not let a person do this; the message says why."""


@dataclass(slots=True)
class Typed:
    """Turns words and options into interaction data for ``guild`` (None: a direct conversation)."""

    world: "World"
    guild: Guild | None
    resolved: Payload = field(default_factory=dict)

    def data(self, words: str, options: Mapping[str, object], focused: str | None = None) -> Payload:
        """Return the data of ``words`` (a command, its group and subcommand) with ``options``; ``focused`` is being typed.

        Roles, people and channels are given as themselves or by name.
        """
        name, *rest = words.split()
        command = self.world.commands.find(self.guild.id if self.guild else None, name)
        if command is None:
            raise CannotError(f"there is no command /{name} here")
        declared, wrap = command.get("options") or [], []
        for word in rest:
            found = next((one for one in declared if one["name"] == word and one["type"] in {SUBCOMMAND, GROUP}), None)
            if found is None:
                raise CannotError(f"/{words}: there is no {word}")
            wrap.append({"name": word, "type": found["type"]})
            declared = found.get("options") or []
        if any(one["type"] in {SUBCOMMAND, GROUP} for one in declared):
            raise CannotError(f"/{words} is not complete: choose one of {', '.join(one['name'] for one in declared)}")
        made = self._options(words, declared, options, focused)
        for layer in reversed(wrap):
            made = [{**layer, "options": made}]
        return self._data(command, {"options": made} if made else {})

    def menu(self, command: Payload, target: int) -> Payload:
        """Return the data of a context menu command used on ``target``."""
        return self._data(command, {"target_id": str(target)})

    def _data(self, command: Payload, rest: Payload) -> Payload:
        body: Payload = {"id": command["id"], "name": command["name"], "type": command["type"], **rest}
        if self.resolved:
            body["resolved"] = self.resolved
        if "guild_id" in command:
            body["guild_id"] = command["guild_id"]
        return body

    def _options(self, words: str, declared: list[Payload], given: Mapping[str, object], focused: str | None) -> list[Payload]:
        known = {one["name"]: one for one in declared}
        if unknown := set(given) - set(known):
            raise CannotError(f"/{words} has no option {', '.join(sorted(unknown))}")
        missing = [name for name, one in known.items() if one.get("required") and name not in given]
        if missing and focused is None:
            raise CannotError(f"/{words} needs {', '.join(missing)}")
        made = []
        for name, value in given.items():
            fits = self._value(words, known[name], value, focused=name == focused)
            one: Payload = {"name": name, "type": known[name]["type"], "value": fits}
            made.append(one | {"focused": True} if name == focused else one)
        return made

    def _value(self, words: str, option: Payload, value: object, *, focused: bool) -> object:
        kind = option["type"]
        if kind in _PLAIN:
            _check_plain(f"/{words} {option['name']}", option, value, focused=focused)
            return value
        target = self._resolve(kind, value)
        if target is None:
            raise CannotError(f"/{words} {option['name']}: {value!r} cannot be picked here")
        return str(target)

    def _resolve(self, kind: int, value: Any) -> int | None:  # noqa: ANN401 - whatever a story passes
        value = self._named(kind, value) if isinstance(value, str) else getattr(value, "user", value)
        if isinstance(value, User) and kind in {USER, MENTIONABLE}:
            self.add_user(value)
            return value.id
        if isinstance(value, Role) and kind in {ROLE, MENTIONABLE} and self.guild and value.id in self.guild.roles:
            self.resolved.setdefault("roles", {})[str(value.id)] = value.payload()
            return value.id
        if isinstance(value, Channel) and kind == CHANNEL and self.guild and value.id in self.guild.channels:
            shown = {key: found for key, found in value.payload().items() if key in {"id", "name", "type", "parent_id", "thread_metadata"}}
            permissions = str(self.guild.permissions_of(self.world.bot.id, value))
            self.resolved.setdefault("channels", {})[str(value.id)] = {**shown, "permissions": permissions}
            return value.id
        return None

    def _named(self, kind: int, name: str) -> User | Role | Channel | None:
        """Return the role, person or channel that a typed name, with or without its sign, is completed to."""
        bare = name.removeprefix("#" if kind == CHANNEL else "@")
        roles = self.guild.roles.values() if self.guild and kind in {ROLE, MENTIONABLE} else ()
        places = self.guild.channels.values() if self.guild and kind == CHANNEL else ()
        found = next((one for one in (*roles, *places) if one.name == bare), None)
        return found or (self.world.users.named(bare.lower()) if kind in {USER, MENTIONABLE} else None)

    def add_user(self, user: User) -> None:
        """Put a user, and who they are in the server, among what the data refers to."""
        self.resolved.setdefault("users", {})[str(user.id)] = user.payload()
        if self.guild and user.id in self.guild.members:
            member = self.guild.members[user.id].payload(with_user=False)
            held = {"permissions": str(self.guild.permissions_of(user.id))}
            self.resolved.setdefault("members", {})[str(user.id)] = {**member, **held}


def _check_plain(where: str, option: Payload, value: object, *, focused: bool) -> None:
    kinds = _PLAIN[option["type"]]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise CannotError(f"{where}: {value!r} is not a {kinds[0].__name__}")
    choices = [one["value"] for one in option.get("choices") or []]
    if choices and value not in choices and not focused:
        raise CannotError(f"{where}: choose one of {', '.join(map(str, choices))}")
    size: Any = len(value) if isinstance(value, str) else value
    low, high = ("min_length", "max_length") if isinstance(value, str) else ("min_value", "max_value")
    if (option.get(low) is not None and size < option[low]) or (option.get(high) is not None and size > option[high]):
        raise CannotError(f"{where}: {value!r} is out of range")
