"""The fields of a form: one for each option, and what stands in them when they come back."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.commands import CommandSpec, Option, OptionKind
from core.platform import Resource

Listed = Sequence[tuple[Resource, str]]
"""User groups with their names."""
_ACTION = "value"
_LABEL, _HINT, _CHOICE = 2000, 2000, 75
"""Slack's limits, in characters (https://docs.slack.dev/reference/block-kit/blocks/input-block)."""
_LONG = 100
"""Texts that may be longer get a field of several lines."""
_PICKERS: dict[OptionKind, dict[str, Any]] = {
    OptionKind.USER: {"type": "users_select"},
    OptionKind.CHANNEL: {"type": "conversations_select", "filter": {"include": ["public", "private"]}},
    OptionKind.RESOURCE: {"type": "conversations_select", "filter": {"include": ["public", "private"]}},
}
_PICKED = {OptionKind.USER: "selected_user", OptionKind.CHANNEL: "selected_conversation", OptionKind.RESOURCE: "selected_conversation"}
_YES_NO = ("Yes", "No")
GROUP = "_group"
"""Slack's pickers know channels and people, but no user groups: those are a list of ours, in a field beside the channel's."""
_CHOICES = 100
"""Slack's limit of a list."""


def asks_for_resource(spec: CommandSpec) -> bool:
    """Say whether channels or user groups are to be picked."""
    return any(option.kind is OptionKind.RESOURCE for option in spec.options)


def fields(option: Option, groups: Listed) -> list[dict[str, Any]]:
    """Return the block of an option; of one that means a channel or a user group, two: either may be filled in."""
    if option.kind is not OptionKind.RESOURCE or not groups:
        return [_field(option)]
    more = f"The first {_CHOICES} are listed; type the command with any other. " if len(groups) > _CHOICES else ""
    listed = [_choice(name, group.external_id) for group, name in groups[:_CHOICES]]
    return [
        _field(option) | {"optional": True},
        {
            "type": "input",
            "block_id": option.name + GROUP,
            "optional": True,
            "label": plain("Or a user group"),
            "hint": plain(f"{more}Instead of a channel; user groups need a paid Slack plan."),
            "element": {"type": "static_select", "action_id": _ACTION, "options": listed},
        },
    ]


def _field(option: Option) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": option.name,
        "optional": not option.required,
        "label": plain(option.name.replace("_", " ").capitalize()[:_LABEL]),
        "hint": plain(option.description[:_HINT]),
        "element": {"action_id": _ACTION, **_element(option)},
    }


def _element(option: Option) -> dict[str, Any]:
    if option.kind in _PICKERS:
        return dict(_PICKERS[option.kind])
    choices = _YES_NO if option.kind is OptionKind.BOOLEAN else option.choices
    if choices:
        return {"type": "static_select", "options": [_choice(one, one) for one in choices]}
    bounds = {key: bound for key, bound in (("min", option.lowest), ("max", option.highest)) if bound is not None}
    if option.kind is OptionKind.INTEGER:
        return {"type": "number_input", "is_decimal_allowed": False, **{f"{key}_value": str(bound) for key, bound in bounds.items()}}
    several = option.highest is not None and option.highest > _LONG
    return {"type": "plain_text_input", "multiline": several, **{f"{key}_length": bound for key, bound in bounds.items()}}


def _choice(label: str, value: str) -> dict[str, Any]:
    return {"text": plain(label[:_CHOICE]), "value": value}


def held(state: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """Return what a field holds."""
    found: Mapping[str, Any] = (state.get(field) or {}).get(_ACTION) or {}
    return found


def chosen(element: Mapping[str, Any]) -> str:
    """Return the value picked from a list of ours; empty when none was."""
    return str((element.get("selected_option") or {}).get("value") or "")


def written_in(option: Option, element: Mapping[str, Any]) -> str:
    """Return what was filled in for an option, as one would type it; empty when nothing was."""
    if option.kind in _PICKED:
        return str(element.get(_PICKED[option.kind]) or "")
    if option.kind is OptionKind.BOOLEAN or option.choices:
        return chosen(element)
    return str(element.get("value") or "")


def plain(text: str) -> dict[str, Any]:
    """Return a text object without formatting."""
    return {"type": "plain_text", "text": text}
