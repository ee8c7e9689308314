"""Application commands: what an app may register, checked as Discord checks it, per server and everywhere."""

import re
from dataclasses import dataclass, field

from sandbox.discord.errors import Payload, invalid, refuse
from sandbox.discord.ids import Ids
from sandbox.discord.shapes import Shape, fit, number

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP = 1, 2
LIMITS = {CHAT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
_NAME = re.compile(r"^[-_'\w]{1,32}$")
_OPTION_KINDS = range(1, 12)
_TOTAL = 8000
Wrong = dict[str, tuple[str, str]]
_OPTION: Shape = {"name": str, "description": str, "type": int, "required": bool, "choices": [{"name": str}]}
_OPTION["options"] = [_OPTION]


@dataclass(slots=True)
class Commands:
    """The commands of the one app: ``by_scope`` None is everywhere, a server's id is that server."""

    by_scope: dict[int | None, dict[int, Payload]] = field(default_factory=dict)

    def listed(self, scope: int | None) -> list[Payload]:
        """Return the commands of a scope."""
        return list(self.by_scope.get(scope, {}).values())

    def find(self, guild_id: int | None, name: str, kind: int = CHAT) -> Payload | None:
        """Return the command a person in that server (or in a direct conversation) would pick by its name."""
        for scope in (guild_id, None) if guild_id is not None else (None,):
            for one in self.listed(scope):
                if one["name"] == name and one["type"] == kind:
                    return one
        return None

    def get(self, scope: int | None, command_id: int) -> Payload:
        """Return the command or refuse with 10063."""
        try:
            return self.by_scope[scope][command_id]
        except KeyError:
            raise refuse(10063) from None

    def replace(self, ids: Ids, app_id: int, scope: int | None, bodies: list[Payload]) -> list[Payload]:
        """Put ``bodies`` in place of every command of the scope; commands that keep name and kind keep their id."""
        wrong: Wrong = {}
        for index, body in enumerate(bodies):
            wrong |= {f"{index}.{path}": found for path, found in check(body).items()}
        names = [(body.get("name"), body.get("type") or CHAT) for body in bodies]
        if len(set(names)) != len(names):
            wrong["name"] = ("APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        if wrong:
            raise invalid(wrong)
        for kind, limit in LIMITS.items():
            if sum(1 for _, one in names if one == kind) > limit:
                raise refuse(30032)
        before = {(one["name"], one["type"]): int(one["id"]) for one in self.listed(scope)}
        made = [_made(ids, app_id, scope, body, before.get((body["name"], body.get("type") or CHAT))) for body in bodies]
        self.by_scope[scope] = {int(one["id"]): one for one in made}
        return made

    def put(self, ids: Ids, app_id: int, scope: int | None, body: Payload) -> tuple[Payload, bool]:
        """Add a command or replace the one of that name; returns it and whether it is new."""
        if wrong := check(body):
            raise invalid(wrong)
        kind = body.get("type") or CHAT
        before = next((int(one["id"]) for one in self.listed(scope) if (one["name"], one["type"]) == (body["name"], kind)), None)
        if before is None and sum(1 for one in self.listed(scope) if one["type"] == kind) >= LIMITS.get(kind, 1):
            raise refuse(30032)
        made = _made(ids, app_id, scope, body, before)
        self.by_scope.setdefault(scope, {})[int(made["id"])] = made
        return made, before is None

    def change(self, ids: Ids, scope: int | None, command_id: int, body: Payload) -> Payload:
        """Change some fields of a command."""
        now = self.get(scope, command_id)
        if wrong := check({**now, **body}):
            raise invalid(wrong)
        made = _made(ids, int(now["application_id"]), scope, {**now, **body}, command_id)
        self.by_scope[scope][command_id] = made
        return made

    def delete(self, scope: int | None, command_id: int) -> None:
        """Remove a command."""
        self.get(scope, command_id)
        del self.by_scope[scope][command_id]


def check(body: Payload) -> Wrong:
    """Return what is wrong with a command, by dotted path; empty when nothing is. What is not even a command is refused at once."""
    fit(body, _OPTION)
    number(body.get("default_member_permissions") or 0, "default_member_permissions", 0, (1 << 63) - 1)
    wrong: Wrong = {}
    kind = body.get("type") or CHAT
    if kind not in LIMITS:
        wrong["type"] = ("BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3).")
    name = str(body.get("name") or "")
    if kind == CHAT:
        _check_words(body, "", wrong)
        _check_options(body.get("options") or [], "", 0, wrong)
        if _length(body) > _TOTAL:
            wrong["options"] = ("APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({_TOTAL})")
    else:
        if not 1 <= len(name) <= 32:  # noqa: PLR2004 - Discord's limit
            wrong["name"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
        if body.get("description"):
            wrong["description"] = ("APPLICATION_COMMAND_DESCRIPTION_INVALID", "Context menu commands cannot have description")
        if body.get("options"):
            wrong["options"] = ("APPLICATION_COMMAND_OPTIONS_INVALID", "Context menu commands cannot have options")
    return wrong


def _check_words(body: Payload, path: str, wrong: Wrong) -> None:
    name, words = str(body.get("name") or ""), str(body.get("description") or "")
    if not _NAME.match(name) or name != name.lower():
        wrong[f"{path}name"] = ("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if not 1 <= len(words) <= 100:  # noqa: PLR2004 - Discord's limit
        wrong[f"{path}description"] = ("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")


def _check_options(options: list[Payload], path: str, depth: int, wrong: Wrong) -> None:
    if len(options) > 25:  # noqa: PLR2004 - Discord's limit
        wrong[f"{path}options"] = ("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    if len({one.get("name") for one in options}) != len(options):
        wrong[f"{path}options"] = ("APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique")
    optional = False
    for index, one in enumerate(options):
        spot = f"{path}options.{index}."
        _check_words(one, spot, wrong)
        kind = one.get("type")
        nested = kind in {SUBCOMMAND, GROUP}
        if kind not in _OPTION_KINDS or (kind == GROUP and depth > 0) or (kind == SUBCOMMAND and depth > 1):
            wrong[f"{spot}type"] = ("APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command option types do not fit here")
        elif nested:
            _check_options(one.get("options") or [], spot, depth + (1 if kind == GROUP else 2), wrong)
        if not nested:
            if one.get("required") and optional:
                wrong[f"{spot}required"] = (
                    "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                    "Required options must be placed before non-required options",
                )
            optional = optional or not one.get("required")
        if len(one.get("choices") or []) > 25:  # noqa: PLR2004 - Discord's limit
            wrong[f"{spot}choices"] = ("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")


def _length(body: Payload) -> int:
    own = len(str(body.get("name") or "")) + len(str(body.get("description") or ""))
    choices = sum(len(str(one.get("name"))) + len(str(one.get("value"))) for one in body.get("choices") or [])
    return own + choices + sum(_length(one) for one in body.get("options") or [])


def _made(ids: Ids, app_id: int, scope: int | None, body: Payload, command_id: int | None) -> Payload:
    rights = body.get("default_member_permissions")
    made: Payload = {
        "id": str(command_id or ids.snowflake()),
        "application_id": str(app_id),
        "version": str(ids.snowflake()),
        "type": body.get("type") or CHAT,
        "name": body["name"],
        "description": body.get("description") or "",
        "default_member_permissions": None if rights is None else str(rights),
        "dm_permission": body.get("dm_permission", True) is not False,
        "contexts": body.get("contexts"),
        "integration_types": body.get("integration_types") or [0],
        "nsfw": bool(body.get("nsfw")),
    }
    if body.get("options"):
        made["options"] = [_option(one) for one in body["options"]]
    return made if scope is None else made | {"guild_id": str(scope)}


def _option(body: Payload) -> Payload:
    """Return the option as it is written back: nothing that was null, sub-options included."""
    kept = {key: value for key, value in body.items() if value is not None}
    if "options" in kept:
        kept["options"] = [_option(one) for one in kept["options"]]
    return kept
