from sandbox.discord import members, permissions
from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint
from sandbox.discord.errors import refuse
from sandbox.discord.guilds import Guild
from sandbox.discord.members import Member
from sandbox.discord.shapes import fit, listed, required, snowflake, text


def listing(call: Call) -> Answer:
    """List members by id; needs the members intent, as the list on the gateway does."""
    guild = call.guild
    if not call.world.app.members_intent:
        raise refuse(50001)
    found = guild.members_after(call.optional_id("after") or 0, call.number("limit", 1, 1, 1000))
    return Answer(payload=[member.payload() for member in found])


def search(call: Call) -> Answer:
    """Find members whose user name or nickname starts with the query."""
    guild = call.guild
    required(dict(call.query), "query")
    start, limit = call.query["query"].lower(), call.number("limit", 1, 1, 1000)
    found = [member for member in guild.members.values() if any(name.lower().startswith(start) for name in _names(member))]
    return Answer(payload=[member.payload() for member in found[:limit]])


def member(call: Call) -> Answer:
    """Show a member; 10013 for a user there is not, 10007 for one who is not in."""
    guild = call.guild
    call.world.users.get(call.id("user_id"))
    return Answer(payload=guild.member(call.id("user_id")).payload())


def add(call: Call) -> Answer:
    """Put a person in who gave us a guilds.join token: 201 with the member, or 204 when they are in already (roles not applied)."""
    guild, user_id = call.guild, call.id("user_id")
    fit(call.fields, {"nick": str})
    guild.require(call.actor.id, permissions.CREATE_INSTANT_INVITE)
    allowed = call.world.oauth.bearer(text(call.fields, "access_token", 10240))
    if allowed is None or allowed.user_id != user_id or "guilds.join" not in allowed.scopes:
        raise refuse(50025)
    roles = [snowflake(one, "roles") for one in listed(call.fields.get("roles"), "roles")]
    for role_id in roles:
        guild.require_grantable(call.actor.id, guild.role(role_id))
    if user_id in guild.members:
        return NOTHING
    made = members.join(call.world, guild, call.world.users.get(user_id), roles)
    made.nick = call.fields.get("nick")
    return Answer(201, made.payload())


def change(call: Call) -> Answer:
    """Change a member's nickname or whole list of roles."""
    guild, found = call.guild, call.guild.member(call.id("user_id"))
    fit(call.fields, {"nick": str})
    if "nick" in call.fields:
        guild.require(call.actor.id, permissions.MANAGE_NICKNAMES)
        guild.require_outranks(call.actor.id, found.user.id)
        found.nick = call.fields["nick"] or None
    if call.fields.get("roles") is not None:
        guild.require(call.actor.id, permissions.MANAGE_ROLES)
        _replace_roles(call, guild, found, {snowflake(one, "roles") for one in listed(call.fields["roles"], "roles")})
    members.announce(call.world, guild, found)
    return Answer(payload=found.payload())


def change_me(call: Call) -> Answer:
    """Change the bot's own nickname."""
    guild = call.guild
    fit(call.fields, {"nick": str})
    guild.require(call.actor.id, permissions.CHANGE_NICKNAME)
    found = guild.member(call.actor.id)
    found.nick = call.fields.get("nick") or None
    members.announce(call.world, guild, found)
    return Answer(payload=found.payload())


def kick(call: Call) -> Answer:
    """Remove a member."""
    members.kick(call.world, call.guild, call.actor.id, call.id("user_id"), call.reason)
    return NOTHING


def give_role(call: Call) -> Answer:
    """Give a role."""
    guild = call.guild
    call.world.users.get(call.id("user_id"))
    members.give_role(call.world, guild, call.actor.id, call.id("user_id"), call.id("role_id"), call.reason)
    return NOTHING


def take_role(call: Call) -> Answer:
    """Take a role away."""
    guild = call.guild
    call.world.users.get(call.id("user_id"))
    members.take_role(call.world, guild, call.actor.id, call.id("user_id"), call.id("role_id"), call.reason)
    return NOTHING


def _replace_roles(call: Call, guild: Guild, found: Member, wanted: set[int]) -> None:
    for role_id in wanted ^ found.roles:
        guild.require_grantable(call.actor.id, guild.role(role_id))
    for role_id in wanted - found.roles:
        members.give_role(call.world, guild, call.actor.id, found.user.id, role_id, call.reason)
    for role_id in found.roles - wanted:
        members.take_role(call.world, guild, call.actor.id, found.user.id, role_id, call.reason)


def _names(found: Member) -> list[str]:
    return [name for name in (found.user.username, found.user.global_name, found.nick) if name]


ROUTES = (
    Endpoint("GET", "/guilds/{guild_id}/members", listing, "member-list"),
    Endpoint("GET", "/guilds/{guild_id}/members/search", search, "member-list"),
    Endpoint("PATCH", "/guilds/{guild_id}/members/@me", change_me),
    Endpoint("GET", "/guilds/{guild_id}/members/{user_id}", member),
    Endpoint("PUT", "/guilds/{guild_id}/members/{user_id}", add, "member-add"),
    Endpoint("PATCH", "/guilds/{guild_id}/members/{user_id}", change),
    Endpoint("DELETE", "/guilds/{guild_id}/members/{user_id}", kick),
    Endpoint("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", give_role, "member-roles"),
    Endpoint("DELETE", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", take_role, "member-roles"),
)
