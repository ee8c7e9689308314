from sandbox.discord import channels, members
from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint, Who
from sandbox.discord.errors import Payload, RefusedError, refuse
from sandbox.discord.ids import wire_time
from sandbox.discord.shapes import required, snowflake


def me(call: Call) -> Answer:
    """Say who the token belongs to."""
    if call.authorization is not None and "identify" not in call.authorization.scopes:
        raise RefusedError(401, 0, "401: Unauthorized")
    return Answer(payload=call.actor.own_payload())


def user(call: Call) -> Answer:
    """Show anyone."""
    return Answer(payload=call.world.users.get(call.id("user_id")).payload())


def my_guilds(call: Call) -> Answer:
    """List the caller's servers."""
    _scope(call, "guilds")
    after, limit = call.optional_id("after") or 0, call.number("limit", 200, 1, 200)
    found = []
    for guild_id in sorted(one for one in call.actor.guilds if one > after)[:limit]:
        guild = call.world.guilds[guild_id]
        shown: Payload = {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": guild.owner_id == call.actor.id,
            "permissions": str(guild.permissions_of(call.actor.id)),
            "features": [],
        }
        found.append(shown | (guild.counts() if call.query.get("with_counts") in {"true", "1", "True"} else {}))
    return Answer(payload=found)


def leave(call: Call) -> Answer:
    """Leave a server."""
    if call.id("guild_id") not in call.actor.guilds:
        raise refuse(10004)
    guild = call.guild
    if guild.owner_id == call.actor.id:
        raise refuse(50055)
    call.world.hub.publish("GUILD_DELETE", {"id": str(guild.id)}, guild.id)
    members.remove(call.world, guild, call.actor.id)
    return NOTHING


def my_member(call: Call) -> Answer:
    """Show the caller's own membership of a server."""
    _scope(call, "guilds.members.read")
    guild_id = call.id("guild_id")
    if guild_id not in call.actor.guilds:
        raise refuse(10004)
    guild = call.guild
    body = guild.member(call.actor.id).payload()
    return Answer(payload={**body, "permissions": str(guild.permissions_of(call.actor.id))})


def open_conversation(call: Call) -> Answer:
    """Open the direct conversation with a person."""
    required(call.fields, "recipient_id")
    try:
        recipient = call.world.users.get(snowflake(call.fields["recipient_id"], "recipient_id"))
    except RefusedError as refused:
        raise refuse(50033) from refused
    return Answer(payload=channels.conversation(call.world, recipient).payload(call.actor.id))


def authorization(call: Call) -> Answer:
    """Say what the person allowed."""
    allowed = call.authorization
    if allowed is None:
        raise RefusedError(401, 0, "401: Unauthorized")
    shown = ("id", "name", "icon", "description", "type", "bot", "verify_key", "flags", "flags_new")
    app = call.world.app_payload()
    body = {
        "application": {key: app[key] for key in shown},
        "scopes": list(allowed.scopes),
        "expires": wire_time(allowed.expires_at),
        "user": call.actor.payload(),
    }
    return Answer(payload=body)


def application(call: Call) -> Answer:
    """Show the bot's own application."""
    return Answer(payload=call.world.app_payload())


def application_by_id(call: Call) -> Answer:
    """Show the bot's own application by its id."""
    if call.id("application_id") != call.world.app.id:
        raise refuse(50001)
    return application(call)


def gateway(call: Call) -> Answer:
    """Say where the gateway is."""
    return Answer(payload={"url": call.gateway_url})


def gateway_for_bots(call: Call) -> Answer:
    """Say where the gateway is and how many sessions may still be started."""
    shards = max(1, -(-len(call.actor.guilds) // 1000))
    limit = {"total": 1000, "remaining": max(0, call.world.hub.starts_left), "reset_after": 86400000, "max_concurrency": 1}
    return Answer(payload={"url": call.gateway_url, "shards": shards, "session_start_limit": limit})


def _scope(call: Call, scope: str) -> None:
    if call.authorization is not None and scope not in call.authorization.scopes:
        raise refuse(50001)


ROUTES = (
    Endpoint("GET", "/users/@me", me, who=Who.EITHER),
    Endpoint("GET", "/users/@me/guilds", my_guilds, who=Who.EITHER),
    Endpoint("DELETE", "/users/@me/guilds/{guild_id}", leave),
    Endpoint("GET", "/users/@me/guilds/{guild_id}/member", my_member, who=Who.PERSON),
    Endpoint("POST", "/users/@me/channels", open_conversation, "dm"),
    Endpoint("GET", "/users/{user_id}", user),
    Endpoint("GET", "/oauth2/@me", authorization, who=Who.PERSON),
    Endpoint("GET", "/oauth2/applications/@me", application),
    Endpoint("GET", "/applications/@me", application),
    Endpoint("GET", "/applications/{application_id}", application_by_id),
    Endpoint("GET", "/gateway", gateway, who=Who.ANYONE),
    Endpoint("GET", "/gateway/bot", gateway_for_bots),
)
