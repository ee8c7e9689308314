"""How a world, its servers and our bot in them come to be: what the client's own buttons do, and no API call can."""

from collections.abc import Callable

from core.clock import Clock
from sandbox.discord import channels, members, permissions, roles
from sandbox.discord.audit import AuditLog
from sandbox.discord.channels import Channel
from sandbox.discord.errors import Payload, refuse
from sandbox.discord.guilds import Guild
from sandbox.discord.hub import Hub
from sandbox.discord.ids import Ids
from sandbox.discord.oauth import OAuth
from sandbox.discord.roles import Role
from sandbox.discord.users import User, Users
from sandbox.discord.world import Application, World


def new_world(clock: Clock, seed: int, moments: Callable[[], float], app_name: str) -> World:
    """Make a Discord with nobody in it but our app's developer and its bot; ids and secrets come from ``seed``."""
    ids, users = Ids(clock, seed), Users()
    owner = users.add(User(ids.snowflake(), "developer", "Developer"))
    app_id = ids.snowflake()
    bot = users.add(User(app_id, app_name.lower(), bot=True))
    app = Application(app_id, app_name, owner, ids.bot_token(app_id), ids.secret(32), ids.secret(64))
    return World(clock, ids, moments, app, bot, OAuth(clock, ids), users, Hub(bot))


def found_guild(world: World, owner: User, name: str) -> Guild:
    """Make a server with @everyone and a channel called general, and its owner in it."""
    guild_id = world.ids.snowflake()
    guild = Guild(guild_id, name, owner.id, world.clock.now(), AuditLog(guild_id))
    guild.roles[guild_id] = Role(guild_id, "@everyone", permissions.EVERYONE)
    world.guilds[guild_id] = guild
    members.join(world, guild, owner)
    general = channels.create(world, guild, owner.id, Channel(world.ids.snowflake(), channels.TEXT, "general"))
    guild.system_channel = general.id
    return guild


def install_bot(world: World, guild: Guild, by: int, bits: int) -> None:
    """Add our bot with a managed role that holds ``bits``; who does it needs Manage Server and, as Discord asks, those rights."""
    guild.require(by, permissions.MANAGE_GUILD)
    if not guild.is_admin(by):
        bits &= guild.permissions_of(by)
    bot = world.bot
    mine = next((role for role in guild.roles.values() if role.bot_id == bot.id), None)
    if bot.id in guild.members:
        if mine is not None:
            roles.change(world, guild, guild.owner_id, mine, {"permissions": mine.permissions | bits})
        return
    if bot.id in guild.bans:
        raise refuse(40007)
    role = Role(world.ids.snowflake(), bot.username, bits, managed=True, bot_id=bot.id)
    roles.create(world, guild, guild.owner_id, role)
    members.join(world, guild, bot, [role.id])
    world.hub.publish_each("GUILD_CREATE", lambda everyone: _new(guild, bot.id, everyone=everyone), guild.id)
    guild.audit.add(world, "BOT_ADD", by, bot.id, None)
    world.changes.notify()


def evict_bot(world: World, guild: Guild) -> None:
    """Kick our bot; its managed role goes with it."""
    bot = world.bot
    world.hub.publish("GUILD_DELETE", {"id": str(guild.id)}, guild.id)
    members.remove(world, guild, bot.id)
    for role in [role for role in guild.roles.values() if role.bot_id == bot.id]:
        del guild.roles[role.id]
        guild.holders.pop(role.id, None)
    world.changes.notify()


def set_available(world: World, guild: Guild, *, available: bool) -> None:
    """Begin or end an outage of one server as the gateway tells of it."""
    guild.available = available
    if available:
        world.hub.publish_each("GUILD_CREATE", lambda everyone: guild.create_payload(world.bot.id, everyone=everyone), guild.id)
    else:
        world.hub.publish("GUILD_DELETE", {"id": str(guild.id), "unavailable": True}, guild.id)


def _new(guild: Guild, me: int, *, everyone: bool) -> Payload:
    """Return GUILD_CREATE for a server just joined: one that comes back from an outage says ``unavailable`` false, this says nothing."""
    return {key: value for key, value in guild.create_payload(me, everyone=everyone).items() if key != "unavailable"}
