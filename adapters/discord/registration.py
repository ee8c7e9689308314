"""Registers our commands: turns specs into Discord's command tree and sends it only when Discord has another one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from discord import Permissions

from adapters.discord.rest import Rest
from core.commands import Audience, CommandKind, CommandSpec, Option, OptionKind

_TYPES = {
    OptionKind.TEXT: 3,
    OptionKind.INTEGER: 4,
    OptionKind.BOOLEAN: 5,
    OptionKind.USER: 6,
    OptionKind.CHANNEL: 7,
    OptionKind.RESOURCE: 8,
}
_KINDS = {CommandKind.SLASH: 1, CommandKind.USER_MENU: 2, CommandKind.MESSAGE_MENU: 3}
SUBCOMMAND, GROUP = 1, 2
_CHANNELS_TO_POST_IN = [0, 5]
_IN_SERVERS = [0]
"""Both for contexts (a server, not direct messages) and for integration types (installed to a server, not to a user)."""
_DESCRIPTION = 100
_KEPT = frozenset({
    "name", "description", "type", "options", "required", "choices", "value", "min_value", "max_value", "min_length", "max_length",
    "channel_types", "default_member_permissions", "contexts", "integration_types",
})  # fmt: skip


async def register(rest: Rest, application: str, specs: Sequence[CommandSpec]) -> bool:
    """Make Discord's commands equal ``specs``; returns whether anything had to be sent (200 changes a day are allowed)."""
    wanted = payload(specs)
    there = await rest.call("GET", "/applications/{application_id}/commands", application_id=application)
    if _comparable(there) == _comparable(wanted):
        return False
    await rest.call("PUT", "/applications/{application_id}/commands", application_id=application, json=wanted)
    return True


def payload(specs: Iterable[CommandSpec]) -> list[dict[str, Any]]:
    """Return the body that registers ``specs``: buttons need none, words become groups and subcommands."""
    menus: list[dict[str, Any]] = []
    trees: dict[str, list[CommandSpec]] = {}
    for spec in specs:
        if spec.kind is CommandKind.SLASH:
            trees.setdefault(spec.words[0], []).append(spec)
        elif spec.kind in _KINDS:
            menus.append(_top([spec], {"type": _KINDS[spec.kind], "name": spec.name}))
    return [_top(leaves, {"type": 1, **_node(leaves, 0)}) for leaves in trees.values()] + menus


def _top(leaves: Sequence[CommandSpec], command: dict[str, Any]) -> dict[str, Any]:
    """Hide a command from members only when all of it is the creator's; the rights are checked again when it runs in any case."""
    for_creators = all(leaf.audience is Audience.CREATOR for leaf in leaves)
    needed = Permissions(manage_guild=True).value if for_creators else None
    return command | {"default_member_permissions": needed, "contexts": _IN_SERVERS, "integration_types": _IN_SERVERS}


def _node(leaves: Sequence[CommandSpec], depth: int) -> dict[str, Any]:
    name = leaves[0].words[depth]
    if len(leaves) == 1 and len(leaves[0].words) == depth + 1:
        return {"name": name, "description": _short(leaves[0].description), "options": _options(leaves[0])}
    branches: dict[str, list[CommandSpec]] = {}
    for leaf in leaves:
        branches.setdefault(leaf.words[depth + 1], []).append(leaf)
    children = [{"type": _type_of(branch, depth + 1), **_node(branch, depth + 1)} for branch in branches.values()]
    return {"name": name, "description": _short(f"{name.capitalize()}: {', '.join(branches)}"), "options": children}


def _type_of(branch: Sequence[CommandSpec], depth: int) -> int:
    return SUBCOMMAND if len(branch) == 1 and len(branch[0].words) == depth + 1 else GROUP


def _options(spec: CommandSpec) -> list[dict[str, Any]]:
    """Discord wants the required ones first."""
    return [_option(option) for option in sorted(spec.options, key=lambda option: not option.required)]


def _option(option: Option) -> dict[str, Any]:
    built: dict[str, Any] = {
        "type": _TYPES[option.kind],
        "name": option.name,
        "description": _short(option.description),
        "required": option.required,
    }
    if option.choices:
        built["choices"] = [{"name": choice, "value": choice} for choice in option.choices]
    if option.kind is OptionKind.CHANNEL:
        built["channel_types"] = _CHANNELS_TO_POST_IN
    bounds = ("min_value", "max_value") if option.kind is OptionKind.INTEGER else ("min_length", "max_length")
    built |= {key: bound for key, bound in zip(bounds, (option.lowest, option.highest), strict=True) if bound is not None}
    return built


def _short(description: str) -> str:
    return description if len(description) <= _DESCRIPTION else description[: _DESCRIPTION - 1] + "…"


def _comparable(value: object) -> object:
    """Reduce a command to what we decide: Discord adds ids and versions, leaves out what is empty or false, and orders commands itself."""
    if isinstance(value, Mapping):
        known = {key: _comparable(inner) for key, inner in value.items() if key in _KEPT}
        if known.get("default_member_permissions") is not None:
            known["default_member_permissions"] = str(known["default_member_permissions"])  # sent as a number, answered as a string
        return {key: inner for key, inner in known.items() if inner or (inner == 0 and inner is not False)}
    if isinstance(value, list):
        parts = [_comparable(inner) for inner in value]
        top = all(isinstance(inner, Mapping) and "contexts" in inner for inner in value)
        return sorted(parts, key=repr) if top else parts
    return value
