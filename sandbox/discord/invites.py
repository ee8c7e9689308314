from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.discord import members, permissions
from sandbox.discord.channels import Channel
from sandbox.discord.errors import Payload, refuse
from sandbox.discord.ids import wire_time
from sandbox.discord.users import User

if TYPE_CHECKING:
    from sandbox.discord.guilds import Guild
    from sandbox.discord.members import Member
    from sandbox.discord.world import World

INVITE_LIMIT = 1000
"""Invites one server can have at a time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an invite allows. ``max_age`` in seconds and ``max_uses``: 0 is no limit; ``only_for``: who may accept it, None for all."""

    max_age: int = 86400
    max_uses: int = 0
    temporary: bool = False
    roles: tuple[int, ...] = ()
    only_for: frozenset[int] | None = None


@dataclass(slots=True)
class Invite:
    """A way into a server."""

    code: str
    guild_id: int
    channel_id: int
    inviter: User
    terms: Terms
    created_at: datetime
    uses: int = 0

    @property
    def expires_at(self) -> datetime | None:
        return self.created_at + timedelta(seconds=self.terms.max_age) if self.terms.max_age else None

    def payload(self, world: "World", *, counts: bool = False, details: bool = True) -> Payload:
        """Return the invite as the API writes it; ``details`` are for who may manage it."""
        guild, channel = world.guilds[self.guild_id], world.channels[self.channel_id]
        body: Payload = {
            "type": 0,
            "code": self.code,
            "inviter": self.inviter.payload(),
            "expires_at": wire_time(self.expires_at) if self.expires_at else None,
            "flags": 0,
            "guild": guild.invite_payload(),
            "guild_id": str(guild.id),
            "channel": {"id": str(channel.id), "type": channel.kind, "name": channel.name},
        }
        if self.terms.roles:
            shown = ("id", "name", "position", "color", "colors", "icon", "unicode_emoji")
            roles = [guild.roles[role].payload() for role in self.terms.roles if role in guild.roles]
            body["roles"] = [{key: role[key] for key in shown} for role in roles]
        if details:
            body |= {
                "uses": self.uses,
                "max_uses": self.terms.max_uses,
                "max_age": self.terms.max_age,
                "temporary": self.terms.temporary,
                "created_at": wire_time(self.created_at),
            }
        return body | guild.counts() if counts else body


def find(world: "World", code: str) -> Invite:
    """Return the invite, or refuse with 10006 when there is none or its time is over."""
    invite = world.invites.get(code)
    if invite is None:
        raise refuse(10006)
    if invite.expires_at is not None and invite.expires_at <= world.clock.now():
        _drop(world, invite)
        raise refuse(10006)
    return invite


def create(world: "World", actor: User, channel: Channel, terms: Terms, *, unique: bool, reason: str | None = None) -> Invite:
    """Make an invite to the channel's server, or return one just like it unless ``unique``."""
    guild = world.guild_for(actor.id, channel.guild_id or 0)
    guild.require(actor.id, permissions.CREATE_INSTANT_INVITE, channel)
    for role_id in terms.roles:
        role = guild.role(role_id)
        guild.require_grantable(actor.id, role)
        if role.permissions & ~guild.permissions_of(actor.id):
            raise refuse(50013)
    if terms.only_for is not None:
        guild.require(actor.id, permissions.MANAGE_GUILD)
    if not unique and (same := _like(world, guild, actor, channel, terms)):
        return same
    if len(guild.invites) >= INVITE_LIMIT:
        _drop_expired(world, guild)
    if len(guild.invites) >= INVITE_LIMIT:
        raise refuse(30016)
    invite = Invite(world.ids.secret(8), guild.id, channel.id, actor, terms, world.clock.now())
    world.invites[invite.code] = invite
    guild.invites.add(invite.code)
    guild.audit.add(world, "INVITE_CREATE", actor.id, None, reason, [("code", None, invite.code)])
    world.hub.publish("INVITE_CREATE", {**invite.payload(world), "channel_id": str(channel.id)}, guild.id)
    return invite


def revoke(world: "World", actor: User, invite: Invite, reason: str | None = None) -> None:
    """Take an invite back: needs Manage Channels there or Manage Server."""
    guild = world.guild_for(actor.id, invite.guild_id)
    if not guild.permissions_of(actor.id) & permissions.MANAGE_GUILD:
        guild.require(actor.id, permissions.MANAGE_CHANNELS, world.channels[invite.channel_id])
    _drop(world, invite)
    guild.audit.add(world, "INVITE_DELETE", actor.id, None, reason, [("code", invite.code, None)])


def accept(world: "World", user: User, code: str) -> "Member":
    """Let ``user`` in by an invite, with the roles it carries; whoever is in already stays as they are."""
    invite = find(world, code)
    guild = world.guilds[invite.guild_id]
    if user.id in guild.members:
        return guild.members[user.id]
    if invite.terms.only_for is not None and user.id not in invite.terms.only_for:
        raise refuse(50001)
    member = members.join(world, guild, user, [role for role in invite.terms.roles if role in guild.roles])
    member.temporary = invite.terms.temporary
    invite.uses += 1
    if invite.terms.max_uses and invite.uses >= invite.terms.max_uses:
        _drop(world, invite)
    return member


def _like(world: "World", guild: "Guild", actor: User, channel: Channel, terms: Terms) -> Invite | None:
    alike = (world.invites[code] for code in guild.invites)
    for one in alike:
        if one.inviter is actor and one.channel_id == channel.id and one.terms == terms:
            return one
    return None


def _drop(world: "World", invite: Invite) -> None:
    del world.invites[invite.code]
    world.guilds[invite.guild_id].invites.discard(invite.code)
    body = {"code": invite.code, "channel_id": str(invite.channel_id), "guild_id": str(invite.guild_id)}
    world.hub.publish("INVITE_DELETE", body, invite.guild_id)
    world.changes.notify()


def _drop_expired(world: "World", guild: "Guild") -> None:
    now = world.clock.now()
    for invite in [world.invites[code] for code in guild.invites]:
        if invite.expires_at is not None and invite.expires_at <= now:
            _drop(world, invite)
