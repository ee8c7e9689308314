from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.discord import permissions
from sandbox.discord.errors import Payload, refuse
from sandbox.discord.ids import wire_time

if TYPE_CHECKING:
    from sandbox.discord.guilds import Guild
    from sandbox.discord.members import Member
    from sandbox.discord.messages import Message
    from sandbox.discord.users import User
    from sandbox.discord.world import World

TEXT, DM, CATEGORY, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 4, 11, 12
THREADS = frozenset({PUBLIC_THREAD, PRIVATE_THREAD})
_FOR_ROLE = 0


@dataclass(slots=True)
class Overwrite:
    """What a channel allows and denies to one role or one member, on top of what they hold in the server."""

    id: int
    kind: int
    allow: int = 0
    deny: int = 0

    def payload(self) -> Payload:
        """Return the overwrite as the API writes it."""
        return {"id": str(self.id), "type": self.kind, "allow": str(self.allow), "deny": str(self.deny)}


@dataclass(slots=True)
class Channel:
    """A text channel, a thread or a direct conversation. ``people`` are a thread's members or a conversation's two."""

    id: int
    kind: int
    name: str = ""
    guild_id: int | None = None
    parent_id: int | None = None
    owner_id: int | None = None
    position: int = 0
    topic: str | None = None
    created_at: datetime | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    people: "dict[int, User]" = field(default_factory=dict)
    messages: "dict[int, Message]" = field(default_factory=dict)
    archived: bool = False

    @property
    def is_thread(self) -> bool:
        return self.kind in THREADS

    def narrowed(self, bits: int, everyone: int, member: "Member") -> int:
        """Return ``bits`` after this channel's overwrites: @everyone's first, the member's roles next, their own last."""
        if everyone in self.overwrites:
            bits = bits & ~self.overwrites[everyone].deny | self.overwrites[everyone].allow
        of_roles = [self.overwrites[role] for role in member.roles if role in self.overwrites]
        for overwrite in of_roles:
            bits &= ~overwrite.deny
        for overwrite in of_roles:
            bits |= overwrite.allow
        own = self.overwrites.get(member.user.id)
        return bits & ~own.deny | own.allow if own else bits

    def payload(self, me: int | None = None) -> Payload:
        """Return the channel as the API writes it; ``me`` is left out of a conversation's recipients."""
        last = next(reversed(self.messages), None)
        body: Payload = {"id": str(self.id), "type": self.kind, "flags": 0, "last_message_id": str(last) if last else None}
        if self.kind == DM:
            body["recipients"] = [user.payload() for user in self.people.values() if user.id != me]
            return body
        body |= {
            "guild_id": str(self.guild_id),
            "name": self.name,
            "parent_id": str(self.parent_id) if self.parent_id else None,
            "rate_limit_per_user": 0,
        }
        return body | (self._thread_fields() if self.is_thread else self._plain_fields())

    def _plain_fields(self) -> Payload:
        overwrites = [overwrite.payload() for overwrite in self.overwrites.values()]
        return {"topic": self.topic, "position": self.position, "permission_overwrites": overwrites, "nsfw": False}

    def _thread_fields(self) -> Payload:
        made = wire_time(self.created_at) if self.created_at else None
        return {
            "owner_id": str(self.owner_id),
            "message_count": len(self.messages),
            "total_message_sent": len(self.messages),
            "member_count": len(self.people),
            "thread_metadata": {
                "archived": self.archived,
                "archive_timestamp": made,
                "auto_archive_duration": 4320,
                "locked": False,
                "create_timestamp": made,
                "invitable": True,
            },
        }


def create(world: "World", guild: "Guild", actor: int, channel: Channel, reason: str | None = None) -> Channel:
    """Add a channel to the server."""
    guild.require(actor, permissions.MANAGE_CHANNELS)
    channel.guild_id, channel.position = guild.id, len(guild.channels)
    guild.channels[channel.id] = world.channels[channel.id] = channel
    guild.audit.add(world, "CHANNEL_CREATE", actor, channel.id, reason, [("name", None, channel.name)])
    world.hub.publish("CHANNEL_CREATE", channel.payload(), guild.id)
    return channel


def overwrite(world: "World", guild: "Guild", actor: int, channel: Channel, change: Overwrite) -> None:
    """Set what the channel allows and denies to a role or member."""
    guild.require(actor, permissions.MANAGE_ROLES, channel)
    channel.overwrites[change.id] = change
    guild.audit.add(world, "CHANNEL_OVERWRITE_CREATE", actor, channel.id, None)
    world.hub.publish("CHANNEL_UPDATE", channel.payload(), guild.id)


def delete(world: "World", guild: "Guild", actor: int, channel: Channel, reason: str | None = None) -> None:
    """Remove a channel or thread, and a channel's threads and invites with it."""
    guild.require(actor, permissions.MANAGE_THREADS if channel.is_thread else permissions.MANAGE_CHANNELS, channel)
    gone = [channel, *(thread for thread in guild.channels.values() if thread.parent_id == channel.id and thread.is_thread)]
    for one in gone:
        del guild.channels[one.id], world.channels[one.id]
    for code in [code for code in guild.invites if world.invites[code].channel_id == channel.id]:
        guild.invites.discard(code)
        del world.invites[code]
    kind = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
    guild.audit.add(world, kind, actor, channel.id, reason, [("name", channel.name, None)])
    world.hub.publish(kind, channel.payload(), guild.id)
    world.changes.notify()


def start_thread(world: "World", guild: "Guild", actor: int, parent: Channel, thread: Channel, reason: str | None = None) -> Channel:
    """Open ``thread`` under a text channel."""
    if parent.kind != TEXT:
        raise refuse(50024)
    private = thread.kind == PRIVATE_THREAD
    guild.require(actor, permissions.CREATE_PRIVATE_THREADS if private else permissions.CREATE_PUBLIC_THREADS, parent)
    thread.guild_id, thread.parent_id, thread.owner_id = guild.id, parent.id, actor
    thread.created_at, thread.overwrites = world.clock.now(), parent.overwrites
    thread.people[actor] = guild.member(actor).user
    guild.channels[thread.id] = world.channels[thread.id] = thread
    guild.audit.add(world, "THREAD_CREATE", actor, thread.id, reason, [("name", None, thread.name)])
    world.hub.publish("THREAD_CREATE", {**thread.payload(), "newly_created": True}, guild.id)
    return thread


def conversation(world: "World", user: "User") -> Channel:
    """Return the direct conversation between our bot and ``user``, opening it the first time."""
    if user.bot:
        raise refuse(50007)
    if user.dm_channel is None:
        channel = Channel(world.ids.snowflake(), DM, people={user.id: user, world.bot.id: world.bot})
        world.channels[channel.id] = channel
        user.dm_channel = channel.id
    return world.channels[user.dm_channel]
