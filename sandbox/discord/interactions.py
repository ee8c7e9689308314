"""Commands used, buttons pressed and forms sent by people, as the app is told of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.discord import permissions
from sandbox.discord.channels import Channel
from sandbox.discord.errors import Payload
from sandbox.discord.messages import Message
from sandbox.discord.users import User

if TYPE_CHECKING:
    from sandbox.discord.world import World

ANSWER_WITHIN, TOKEN_LIFE = timedelta(seconds=3), timedelta(minutes=15)
COMMAND, COMPONENT, AUTOCOMPLETE, FORM = 2, 3, 4, 5
PONG, SAY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 1, 4, 5, 6, 7, 8, 9


@dataclass(slots=True)
class Interaction:
    """One use of the app by a person, and what the app answered so far."""

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    created_at: datetime
    data: Payload
    source: Message | None = None
    answer: int | None = None
    original: Message | None = None
    settled: bool = False
    modal: Payload | None = None
    choices: list[Payload] | None = None
    followups: list[Message] = field(default_factory=list)
    deleted: bool = False

    def metadata(self) -> Payload:
        """Return what messages that answer this carry."""
        owner = str(self.channel.guild_id) if self.channel.guild_id else str(self.user.id)
        body: Payload = {
            "id": str(self.id),
            "type": self.kind,
            "user": self.user.payload(),
            "authorizing_integration_owners": {"0" if self.channel.guild_id else "1": owner},
        }
        if self.kind == COMPONENT and self.source is not None:
            body["interacted_message_id"] = str(self.source.id)
        if self.kind == FORM:
            asked = {**body, "type": COMPONENT if self.source else COMMAND}
            body["triggering_interaction_metadata"] = asked | ({"interacted_message_id": str(self.source.id)} if self.source else {})
        return body


def start(world: "World", kind: int, user: User, channel: Channel, data: Payload, source: Message | None = None) -> Interaction:
    """Tell the app that ``user`` did something in ``channel``, and return what will hold its answer."""
    _forget_old(world)
    one = Interaction(world.ids.snowflake(), world.ids.secret(40), kind, user, channel, world.clock.now(), data, source)
    world.interactions[one.token] = one
    world.hub.publish("INTERACTION_CREATE", _payload(world, one), channel.guild_id)
    world.changes.notify()
    return one


def _payload(world: "World", one: Interaction) -> Payload:
    me = world.bot.id
    body: Payload = {
        "id": str(one.id),
        "application_id": str(world.app.id),
        "type": one.kind,
        "data": one.data,
        "token": one.token,
        "version": 1,
        "channel_id": str(one.channel.id),
        "channel": one.channel.payload(me),
        "locale": one.user.locale,
        "entitlements": [],
        "attachment_size_limit": 10485760,
        "authorizing_integration_owners": one.metadata()["authorizing_integration_owners"],
        "context": 0 if one.channel.guild_id else 1,
    }
    if one.source is not None:
        body["message"] = one.source.payload()
    if one.channel.guild_id is None:
        return body | {"user": one.user.payload(), "app_permissions": str(permissions.ALL)}
    guild = world.guild(one.channel.guild_id)
    held = guild.permissions_of(one.user.id, one.channel)
    return body | {
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "member": {**guild.member(one.user.id).payload(), "permissions": str(held)},
        "app_permissions": str(guild.permissions_of(me, one.channel)),
    }


def _forget_old(world: "World") -> None:
    limit = world.clock.now() - 2 * TOKEN_LIFE
    while world.interactions and (oldest := next(iter(world.interactions.values()))).created_at < limit:
        del world.interactions[oldest.token]
