"""What the app asks of a workspace and is told by it: no more than it needs, each with what for."""

BOT_SCOPES = (
    "channels:manage",  # to take members out of a sold channel that has become public, or put them back
    "channels:read",  # to list public channels and who is in them
    "chat:write",  # to write to members and into the creator's notice channel
    "commands",
    "groups:read",  # the same for the private channels it was invited to
    "groups:write",
    "im:write",  # to begin a direct message
    "usergroups:read",
    "usergroups:write",
    "users:read",  # names, who may manage, who came and who left
    "users:read.email",  # to tell a payer who came in by their verified address
)
EVENTS = (
    "app_home_opened",
    "app_uninstalled",
    "channel_archive",
    "channel_deleted",
    "channel_rename",
    "channel_unarchive",
    "group_archive",
    "group_deleted",
    "group_rename",
    "group_unarchive",
    "member_joined_channel",
    "member_left_channel",
    "subteam_updated",
    "team_join",
    "tokens_revoked",
    "user_change",
)
