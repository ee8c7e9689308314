from sandbox.discord import channels, members, permissions
from sandbox.discord.channels import Channel
from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint
from sandbox.discord.endpoints.channels import read_overwrite
from sandbox.discord.errors import refuse
from sandbox.discord.shapes import fit, number, objects, snowflake, text


def guild(call: Call) -> Answer:
    """Show a server."""
    found = call.guild
    counts = found.counts() if call.query.get("with_counts") in {"true", "1", "True"} else {}
    return Answer(payload=found.payload() | counts)


def guild_channels(call: Call) -> Answer:
    """List a server's channels, without threads."""
    return Answer(payload=[channel.payload() for channel in call.guild.channels.values() if not channel.is_thread])


def create_channel(call: Call) -> Answer:
    """Add a text channel or a category."""
    found, fields = call.guild, call.fields
    fit(fields, {"topic": str})
    kind = number(fields.get("type") or channels.TEXT, "type", 0, 20)
    if kind not in {channels.TEXT, channels.CATEGORY}:
        raise refuse(50024)
    made = Channel(call.world.ids.snowflake(), kind, text(fields, "name", 100), topic=fields.get("topic"))
    for one in objects(fields.get("permission_overwrites"), "permission_overwrites"):
        overwrite = read_overwrite(snowflake(one.get("id"), "id"), one)
        made.overwrites[overwrite.id] = overwrite
    channels.create(call.world, found, call.actor.id, made, call.reason)
    return Answer(201, made.payload())


def audit_log(call: Call) -> Answer:
    """Read the audit log, newest first."""
    found = call.guild
    found.require(call.actor.id, permissions.VIEW_AUDIT_LOG)
    action = call.number("action_type", 0, 0, 500) if "action_type" in call.query else None
    entries = found.audit.page(
        limit=call.number("limit", 50, 1, 100), before=call.optional_id("before"), user_id=call.optional_id("user_id"), action=action
    )
    users = {entry.user_id: call.world.users.get(entry.user_id).payload() for entry in entries}
    empty = ("integrations", "webhooks", "guild_scheduled_events", "threads", "application_commands", "auto_moderation_rules")
    body = {"audit_log_entries": [entry.payload() for entry in entries], "users": list(users.values())}
    return Answer(payload=body | {key: [] for key in empty})


def bans(call: Call) -> Answer:
    """List who is banned."""
    found = call.guild
    found.require(call.actor.id, permissions.BAN_MEMBERS)
    return Answer(payload=[_ban(call, user_id, reason) for user_id, reason in found.bans.items()])


def ban(call: Call) -> Answer:
    """Show one ban."""
    found, user_id = call.guild, call.id("user_id")
    found.require(call.actor.id, permissions.BAN_MEMBERS)
    if user_id not in found.bans:
        raise refuse(10026)
    return Answer(payload=_ban(call, user_id, found.bans[user_id]))


def create_ban(call: Call) -> Answer:
    """Ban someone."""
    members.ban(call.world, call.guild, call.actor.id, call.id("user_id"), call.reason)
    return NOTHING


def remove_ban(call: Call) -> Answer:
    """Let someone in again."""
    members.unban(call.world, call.guild, call.actor.id, call.id("user_id"), call.reason)
    return NOTHING


def _ban(call: Call, user_id: int, reason: str | None) -> dict[str, object]:
    return {"user": call.world.users.get(user_id).payload(), "reason": reason}


ROUTES = (
    Endpoint("GET", "/guilds/{guild_id}", guild),
    Endpoint("GET", "/guilds/{guild_id}/channels", guild_channels),
    Endpoint("POST", "/guilds/{guild_id}/channels", create_channel),
    Endpoint("GET", "/guilds/{guild_id}/audit-logs", audit_log),
    Endpoint("GET", "/guilds/{guild_id}/bans", bans),
    Endpoint("GET", "/guilds/{guild_id}/bans/{user_id}", ban),
    Endpoint("PUT", "/guilds/{guild_id}/bans/{user_id}", create_ban),
    Endpoint("DELETE", "/guilds/{guild_id}/bans/{user_id}", remove_ban),
)
