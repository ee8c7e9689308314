"""What an app declares of itself: https://docs.slack.dev/reference/app-manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVENT_SCOPES: dict[str, str] = {
    "app_home_opened": "",
    "app_uninstalled": "",
    "tokens_revoked": "",
    "team_join": "users:read",
    "user_change": "users:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "channel_created": "channels:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_deleted": "channels:read",
    "channel_rename": "channels:read",
    "group_archive": "groups:read",
    "group_unarchive": "groups:read",
    "group_deleted": "groups:read",
    "group_rename": "groups:read",
    "subteam_created": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "team_rename": "team:read",
}
"""The events there are here, and the scope each needs; in a private channel it is groups:read."""

BOT_SCOPES = frozenset(
    {
        "channels:join",
        "channels:manage",
        "channels:read",
        "channels:write.invites",
        "chat:write",
        "chat:write.public",
        "commands",
        "conversations.connect:write",
        "groups:read",
        "groups:write",
        "groups:write.invites",
        "im:read",
        "im:write",
        "team.preferences:read",
        "team:read",
        "usergroups:read",
        "usergroups:write",
        "users.profile:read",
        "users:read",
        "users:read.email",
    }
)
USER_SCOPES = BOT_SCOPES - {"commands", "channels:join", "channels:manage", "chat:write.public"} | {
    "admin",
    "admin.users:write",
    "channels:write",
    "email",
    "openid",
    "profile",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """An app as configured. ``commands`` None: every command is ours. ``escaped``: commands whose text has mentions resolved."""

    name: str = "Doorman"
    bot_scopes: frozenset[str] = BOT_SCOPES
    user_scopes: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset(EVENT_SCOPES)
    commands: frozenset[str] | None = None
    escaped: frozenset[str] = frozenset()
    redirect_uris: tuple[str, ...] = ()
    messages_tab: bool = True
    socket_mode: bool = False
    token_rotation: bool = False
    organisation: bool = False
    """Whether a whole organisation may add it."""


def read_manifest(document: Mapping[str, Any]) -> Manifest:
    """Read an app manifest; ValueError for an event or a scope that does not exist here."""
    oauth, features, settings = (document.get(one) or {} for one in ("oauth_config", "features", "settings"))
    scopes = oauth.get("scopes") or {}
    commands = features.get("slash_commands") or []
    made = Manifest(
        name=(document.get("display_information") or {}).get("name", "Doorman"),
        bot_scopes=frozenset(scopes.get("bot") or ()),
        user_scopes=frozenset(scopes.get("user") or ()),
        events=frozenset((settings.get("event_subscriptions") or {}).get("bot_events") or ()),
        commands=frozenset(one["command"] for one in commands),
        escaped=frozenset(one["command"] for one in commands if one.get("should_escape")),
        redirect_uris=tuple(oauth.get("redirect_urls") or ()),
        messages_tab=bool((features.get("app_home") or {}).get("messages_tab_enabled")),
        socket_mode=bool(settings.get("socket_mode_enabled")),
        token_rotation=bool(settings.get("token_rotation_enabled")),
        organisation=bool(settings.get("org_deploy_enabled")),
    )
    unknown = sorted((made.bot_scopes - BOT_SCOPES) | (made.user_scopes - USER_SCOPES) | (made.events - EVENT_SCOPES.keys()))
    if unknown:
        raise ValueError(f"the manifest names scopes or events that do not exist here: {', '.join(unknown)}")
    return made
