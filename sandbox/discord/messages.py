import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.discord import permissions
from sandbox.discord.channels import DM, Channel
from sandbox.discord.drafts import COMPONENTS_V2, EPHEMERAL, Draft
from sandbox.discord.errors import Payload, refuse
from sandbox.discord.ids import wire_time
from sandbox.discord.shapes import snowflake
from sandbox.discord.users import User

if TYPE_CHECKING:
    from sandbox.discord.world import World

_USER, _ROLE, _EVERYONE = re.compile(r"<@!?(\d+)>"), re.compile(r"<@&(\d+)>"), re.compile(r"@(?:everyone|here)\b")


@dataclass(slots=True)
class Message:
    """A message as it stands now. ``interaction`` is what it answers, if it answers one; ``pings_*`` is who was notified."""

    id: int
    channel_id: int
    author: User
    created_at: datetime
    content: str = ""
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    flags: int = 0
    edited_at: datetime | None = None
    pings_users: list[User] = field(default_factory=list)
    pings_roles: list[int] = field(default_factory=list)
    pings_everyone: bool = False
    interaction: Payload | None = None
    application_id: int | None = None

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    def payload(self) -> Payload:
        """Return the message as the API writes it."""
        body: Payload = {
            "id": str(self.id),
            "channel_id": str(self.channel_id),
            "type": 20 if self.interaction and self.interaction["type"] == 2 else 0,  # noqa: PLR2004 - CHAT_INPUT_COMMAND
            "author": self.author.payload(),
            "content": self.content,
            "embeds": self.embeds,
            "components": self.components,
            "attachments": [],
            "mentions": [user.payload() for user in self.pings_users],
            "mention_roles": [str(role) for role in self.pings_roles],
            "mention_everyone": self.pings_everyone,
            "pinned": False,
            "tts": False,
            "flags": self.flags,
            "timestamp": wire_time(self.created_at),
            "edited_timestamp": wire_time(self.edited_at) if self.edited_at else None,
        }
        if self.application_id is not None:
            body |= {"application_id": str(self.application_id), "webhook_id": str(self.application_id)}
        if self.interaction is not None:
            body["interaction_metadata"] = self.interaction
        return body


def post(world: "World", author: User, channel: Channel, draft: Draft, *, as_app: bool = False) -> Message:
    """Write a message. ``as_app``: the answer to an interaction, which needs no right to send in the channel."""
    if not as_app:
        require_sending(world, author, channel)
    message = Message(world.ids.snowflake(), channel.id, author, world.clock.now())
    fill(world, message, channel, draft)
    message.flags |= draft.flags & EPHEMERAL if as_app else 0
    channel.messages[message.id] = message
    _tell(world, "MESSAGE_CREATE", channel, message)
    return message


def edit(world: "World", message: Message, channel: Channel, draft: Draft) -> Message:
    """Put the draft in the place of what the message said."""
    fill(world, message, channel, draft)
    message.edited_at = world.clock.now()
    _tell(world, "MESSAGE_UPDATE", channel, message)
    return message


def delete(world: "World", actor: User, channel: Channel, message: Message, reason: str | None = None) -> None:
    """Remove a message: one's own, or anyone's with Manage Messages."""
    if message.author.id != actor.id:
        if channel.guild_id is None:
            raise refuse(50003)
        guild = world.guild(channel.guild_id)
        guild.require(actor.id, permissions.MANAGE_MESSAGES, channel)
        guild.audit.add(world, "MESSAGE_DELETE", actor.id, message.author.id, reason)
    drop(world, channel, message)


def drop(world: "World", channel: Channel, message: Message) -> None:
    """Remove a message without asking who does it."""
    del channel.messages[message.id]
    body = {"id": str(message.id), "channel_id": str(channel.id)}
    world.hub.publish("MESSAGE_DELETE", body if channel.guild_id is None else {**body, "guild_id": str(channel.guild_id)}, channel.guild_id)
    world.changes.notify()


def require_sending(world: "World", author: User, channel: Channel) -> None:
    """Refuse with Discord's code where ``author`` may not write."""
    if channel.kind == DM:
        other = next(user for user in channel.people.values() if user.id != author.id)
        if author.bot and not other.dms_open:
            raise refuse(50007)
        if author.bot and not author.guilds & other.guilds:
            raise refuse(50278)
        return
    guild = world.guild(channel.guild_id or 0)
    require_view(world, author, channel)
    guild.require(author.id, permissions.SEND_MESSAGES_IN_THREADS if channel.is_thread else permissions.SEND_MESSAGES, channel)


def require_view(world: "World", user: User, channel: Channel) -> None:
    """Refuse with 50001 where ``user`` cannot see the channel."""
    if channel.kind == DM:
        if user.id not in channel.people:
            raise refuse(50001)
        return
    if not world.guild(channel.guild_id or 0).permissions_of(user.id, channel) & permissions.VIEW_CHANNEL:
        raise refuse(50001)


def fill(world: "World", message: Message, channel: Channel, draft: Draft) -> None:
    """Set the message's parts and work out who it notifies."""
    message.content, message.embeds, message.components = draft.content, draft.embeds, draft.components
    message.flags |= draft.flags & COMPONENTS_V2
    allowed = draft.allowed_mentions if draft.allowed_mentions is not None else {"parse": ["users", "roles", "everyone"]}
    parse = set(allowed.get("parse") or [])
    users = {snowflake(one, "allowed_mentions.users") for one in allowed.get("users") or []}
    roles = {snowflake(one, "allowed_mentions.roles") for one in allowed.get("roles") or []}
    named = [int(one) for one in _USER.findall(draft.content)]
    known = [world.users.find(one) for one in dict.fromkeys(named) if "users" in parse or one in users]
    message.pings_users = [user for user in known if user is not None]
    message.pings_roles = [int(one) for one in _ROLE.findall(draft.content) if "roles" in parse or int(one) in roles]
    may = channel.guild_id is not None and world.guild(channel.guild_id).permissions_of(message.author.id, channel)
    message.pings_everyone = bool(
        "everyone" in parse and _EVERYONE.search(draft.content) and may and permissions.has(may, permissions.MENTION_EVERYONE)
    )


def _tell(world: "World", event: str, channel: Channel, message: Message) -> None:
    if not message.is_ephemeral:
        body = message.payload()
        world.hub.publish(event, body if channel.guild_id is None else {**body, "guild_id": str(channel.guild_id)}, channel.guild_id)
    world.changes.notify()
