from sandbox.discord import roles
from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint
from sandbox.discord.errors import Payload
from sandbox.discord.roles import Role
from sandbox.discord.shapes import number, objects, snowflake, text


def listing(call: Call) -> Answer:
    """List a server's roles."""
    return Answer(payload=[role.payload() for role in call.guild.roles.values()])


def role(call: Call) -> Answer:
    """Show a role."""
    return Answer(payload=call.guild.role(call.id("role_id")).payload())


def create(call: Call) -> Answer:
    """Add a role."""
    guild, fields = call.guild, _fields(call.fields)
    everyone = guild.roles[guild.id].permissions
    made = Role(call.world.ids.snowflake(), fields.pop("name", "new role"), fields.pop("permissions", everyone), **fields)
    return Answer(payload=roles.create(call.world, guild, call.actor.id, made, call.reason).payload())


def change(call: Call) -> Answer:
    """Change a role."""
    guild = call.guild
    found = guild.role(call.id("role_id"))
    return Answer(payload=roles.change(call.world, guild, call.actor.id, found, _fields(call.fields), call.reason).payload())


def move(call: Call) -> Answer:
    """Put roles at new positions."""
    guild = call.guild
    wanted = {snowflake(one.get("id"), "id"): number(one.get("position"), "position", 0, 1000) for one in objects(call.body, "")}
    roles.move(call.world, guild, call.actor.id, wanted)
    return Answer(payload=[one.payload() for one in guild.roles.values()])


def delete(call: Call) -> Answer:
    """Remove a role."""
    guild = call.guild
    roles.delete(call.world, guild, call.actor.id, guild.role(call.id("role_id")), call.reason)
    return NOTHING


def member_counts(call: Call) -> Answer:
    """Say how many members have each role; @everyone is left out."""
    guild = call.guild
    return Answer(payload={str(one): len(guild.holders.get(one, ())) for one in guild.roles if one != guild.id})


def _fields(body: Payload) -> Payload:
    found: Payload = {}
    if body.get("name") is not None:
        found["name"] = text(body, "name", 100)
    if body.get("permissions") is not None:
        found["permissions"] = number(body["permissions"], "permissions", 0, (1 << 63) - 1)
    if body.get("color") is not None:
        found["color"] = number(body["color"], "color", 0, 0xFFFFFF)
    if isinstance(body.get("colors"), dict):
        found["color"] = number(body["colors"].get("primary_color", 0), "colors.primary_color", 0, 0xFFFFFF)
    return found | {key: bool(body[key]) for key in ("hoist", "mentionable") if body.get(key) is not None}


ROUTES = (
    Endpoint("GET", "/guilds/{guild_id}/roles", listing),
    Endpoint("POST", "/guilds/{guild_id}/roles", create, "roles"),
    Endpoint("PATCH", "/guilds/{guild_id}/roles", move),
    Endpoint("GET", "/guilds/{guild_id}/roles/member-counts", member_counts),
    Endpoint("GET", "/guilds/{guild_id}/roles/{role_id}", role),
    Endpoint("PATCH", "/guilds/{guild_id}/roles/{role_id}", change),
    Endpoint("DELETE", "/guilds/{guild_id}/roles/{role_id}", delete),
)
