from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.discord import permissions
from sandbox.discord.errors import Payload, refuse
from sandbox.discord.ids import wire_time
from sandbox.discord.users import GUILD_LIMIT, User

if TYPE_CHECKING:
    from sandbox.discord.guilds import Guild
    from sandbox.discord.roles import Role
    from sandbox.discord.world import World

_DID_REJOIN = 1


@dataclass(slots=True)
class Member:
    """A user in a server, with the ids of their roles (never @everyone's)."""

    user: User
    joined_at: datetime
    roles: set[int] = field(default_factory=set)
    nick: str | None = None
    pending: bool = False
    flags: int = 0
    temporary: bool = False

    def payload(self, *, with_user: bool = True) -> Payload:
        """Return the member as the API writes it."""
        body: Payload = {
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
            "flags": self.flags,
            "joined_at": wire_time(self.joined_at),
            "nick": self.nick,
            "pending": self.pending,
            "premium_since": None,
            "roles": [str(role) for role in sorted(self.roles)],
            "mute": False,
            "deaf": False,
        }
        if with_user:
            body["user"] = self.user.payload()
        return body


def join(world: "World", guild: "Guild", user: User, roles: Collection[int] = ()) -> Member:
    """Put ``user`` into the server; refused to the banned (40007) and to who is in too many (30001)."""
    if user.id in guild.bans:
        raise refuse(40007)
    if len(user.guilds) >= GUILD_LIMIT and not user.bot:
        raise refuse(30001)
    member = Member(user, world.clock.now(), set(roles), pending=guild.screening and not user.bot)
    if user.id in guild.left:
        member.flags |= _DID_REJOIN
    guild.members[user.id] = member
    guild.index(user.id)
    user.guilds.add(guild.id)
    for role in member.roles:
        guild.holders.setdefault(role, set()).add(user.id)
        world.note_role(guild.id, user.id, role, held=True)
    if user.id != world.bot.id:
        world.hub.publish("GUILD_MEMBER_ADD", {**member.payload(), "guild_id": str(guild.id)}, guild.id)
    world.changes.notify()
    return member


def remove(world: "World", guild: "Guild", user_id: int) -> None:
    """Take a member out of the server: left, kicked or banned."""
    member = guild.member(user_id)
    del guild.members[user_id]
    guild.unindex(user_id)
    guild.left.add(user_id)
    member.user.guilds.discard(guild.id)
    for role in member.roles:
        guild.holders[role].discard(user_id)
        world.note_role(guild.id, user_id, role, held=False)
    world.hub.publish("GUILD_MEMBER_REMOVE", {"guild_id": str(guild.id), "user": member.user.payload()}, guild.id)
    world.changes.notify()


def give_role(world: "World", guild: "Guild", actor: int, user_id: int, role_id: int, reason: str | None = None) -> None:
    """Give a role; giving it twice changes nothing."""
    member, role = _roles_of(guild, actor, user_id, role_id)
    if role.id in member.roles:
        return
    member.roles.add(role.id)
    guild.holders.setdefault(role.id, set()).add(user_id)
    world.note_role(guild.id, user_id, role.id, held=True)
    guild.audit.add(world, "MEMBER_ROLE_UPDATE", actor, user_id, reason, [("$add", None, [{"name": role.name, "id": str(role.id)}])])
    announce(world, guild, member)


def take_role(world: "World", guild: "Guild", actor: int, user_id: int, role_id: int, reason: str | None = None) -> None:
    """Take a role away; taking what they do not have changes nothing."""
    member, role = _roles_of(guild, actor, user_id, role_id)
    if role.id not in member.roles:
        return
    member.roles.discard(role.id)
    guild.holders[role.id].discard(user_id)
    world.note_role(guild.id, user_id, role.id, held=False)
    guild.audit.add(world, "MEMBER_ROLE_UPDATE", actor, user_id, reason, [("$remove", None, [{"name": role.name, "id": str(role.id)}])])
    announce(world, guild, member)


def kick(world: "World", guild: "Guild", actor: int, user_id: int, reason: str | None = None) -> None:
    """Remove someone who ranks below the actor."""
    guild.require(actor, permissions.KICK_MEMBERS)
    guild.member(user_id)
    guild.require_outranks(actor, user_id)
    remove(world, guild, user_id)
    guild.audit.add(world, "MEMBER_KICK", actor, user_id, reason)


def ban(world: "World", guild: "Guild", actor: int, user_id: int, reason: str | None = None) -> None:
    """Keep someone out, removing them if they are in."""
    guild.require(actor, permissions.BAN_MEMBERS)
    world.users.get(user_id)
    if user_id in guild.members:
        guild.require_outranks(actor, user_id)
        remove(world, guild, user_id)
    guild.bans[user_id] = reason
    guild.audit.add(world, "MEMBER_BAN_ADD", actor, user_id, reason)


def unban(world: "World", guild: "Guild", actor: int, user_id: int, reason: str | None = None) -> None:
    """Let someone in again."""
    guild.require(actor, permissions.BAN_MEMBERS)
    if user_id not in guild.bans:
        raise refuse(10026)
    del guild.bans[user_id]
    guild.audit.add(world, "MEMBER_BAN_REMOVE", actor, user_id, reason)


def announce(world: "World", guild: "Guild", member: Member) -> None:
    """Tell the sessions what a member looks like now; a bot hears of itself without any privilege."""
    body = {**member.payload(), "guild_id": str(guild.id)}
    world.hub.publish("GUILD_MEMBER_UPDATE", body, guild.id, about=member.user.id)
    world.changes.notify()


def _roles_of(guild: "Guild", actor: int, user_id: int, role_id: int) -> "tuple[Member, Role]":
    guild.require(actor, permissions.MANAGE_ROLES)
    member, role = guild.member(user_id), guild.role(role_id)
    guild.require_grantable(actor, role)
    return member, role
