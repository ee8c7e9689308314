"""The app's manifest, made from the command table: what one pastes at api.slack.com/apps to make the app.

https://docs.slack.dev/reference/app-manifest
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.slack.scopes import BOT_SCOPES, EVENTS
from adapters.slack.usage import short
from core.commands import CommandKind, CommandSpec

NAME = "Doorman"
_SHORT, _HINT = 140, 1000
"""Slack's limits, in characters."""
_PURPOSE = "Paid communities: channels open while a membership is paid for, and close when it is not."
_COLOUR = "#5b6cff"


def manifest(
    specs: Sequence[CommandSpec], *, command: str, url: str = "", socket: bool = False, organisation: bool = False
) -> dict[str, Any]:
    """Return the manifest. ``url`` is where we are reached from outside; with ``socket`` only people's browsers need reach it.

    ``organisation``: an Enterprise organisation may add the app once, for whichever of its workspaces it chooses.
    """
    settings: dict[str, Any] = {
        "event_subscriptions": {"bot_events": list(EVENTS)},
        "interactivity": {"is_enabled": True},
        "org_deploy_enabled": organisation,
        "socket_mode_enabled": socket,
        "token_rotation_enabled": False,
    }
    slash: dict[str, Any] = {"command": command, "description": _description(specs), "usage_hint": _hint(specs), "should_escape": True}
    if not socket:
        endpoint = f"{url}/slack/events"
        slash["url"] = endpoint
        settings["event_subscriptions"]["request_url"] = settings["interactivity"]["request_url"] = endpoint
    redirects = {"redirect_urls": [f"{url}/slack/oauth_redirect", f"{url}/oauth/slack/callback"]} if url else {}
    return {
        "display_information": {"name": NAME, "description": _PURPOSE[:_SHORT], "background_color": _COLOUR},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True},
            "bot_user": {"display_name": NAME, "always_online": True},
            "slash_commands": [slash],
        },
        "oauth_config": {**redirects, "scopes": {"bot": list(BOT_SCOPES)}},
        "settings": settings,
    }


def yaml(document: Mapping[str, Any]) -> str:
    """Write a manifest as YAML, whose strings may be JSON's."""
    return "\n".join(_lines(document, 0)) + "\n"


def _lines(value: object, depth: int) -> Iterator[str]:
    margin = "  " * depth
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, Mapping | list):
                yield f"{margin}{key}:"
                yield from _lines(inner, depth + 1)
            else:
                yield f"{margin}{key}: {json.dumps(inner)}"
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, Mapping):
                first, *others = _lines(inner, depth + 1)
                yield f"{margin}- {first.lstrip()}"
                yield from others
            else:
                yield f"{margin}- {json.dumps(inner)}"


def _description(specs: Sequence[CommandSpec]) -> str:
    words = dict.fromkeys(short(spec)[0] for spec in specs if spec.kind is CommandKind.SLASH)
    return f"Memberships: {', '.join(words)}"[:_SHORT]


def _hint(specs: Sequence[CommandSpec]) -> str:
    """Return what one can type, a command each, as far as there is room."""
    hint = ""
    for spec in specs:
        if spec.kind is CommandKind.SLASH:
            longer = f"{hint} | {' '.join(short(spec))}" if hint else " ".join(short(spec))
            if len(longer) > _HINT:
                break
            hint = longer
    return hint
