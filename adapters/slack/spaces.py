"""How Slack's workspaces and organisations are named in the core."""

from collections.abc import Mapping
from typing import Any

from core.ids import PlatformName
from core.platform import Space

NAME = PlatformName("slack")
LABEL = "Slack"


def space_of(team: str, enterprise: str = "") -> Space:
    """Return the space of a workspace. On Enterprise people have one id in the whole organisation, so that is their realm."""
    return Space(NAME, enterprise or team, team)


def sent_from(body: Mapping[str, Any]) -> Space | None:
    """Return the workspace a command, an interaction or an event came from; None when it names none."""
    team = _id(body.get("team")) or str(body.get("team_id") or "") or _home(body)
    enterprise = _id(body.get("enterprise")) or str(body.get("enterprise_id") or "")
    return space_of(team, enterprise) if team else None


def _id(given: object) -> str:
    return str(given.get("id") or "") if isinstance(given, Mapping) else ""


def _home(body: Mapping[str, Any]) -> str:
    """With the app in a whole organisation an interaction may leave the team out."""
    user = body.get("user")
    return str(user.get("team_id") or "") if isinstance(user, Mapping) else ""
