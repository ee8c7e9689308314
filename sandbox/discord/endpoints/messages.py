from sandbox.discord import messages, permissions
from sandbox.discord.channels import Channel
from sandbox.discord.drafts import draft
from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint
from sandbox.discord.endpoints.channels import seen
from sandbox.discord.errors import refuse
from sandbox.discord.messages import Message


def listing(call: Call) -> Answer:
    """List messages, newest first; without the right to read the history there are none."""
    channel, limit = seen(call), call.number("limit", 50, 1, 100)
    before, after = call.optional_id("before"), call.optional_id("after")
    if channel.guild_id is not None:
        bits = call.world.guild(channel.guild_id).permissions_of(call.actor.id, channel)
        if not bits & permissions.READ_MESSAGE_HISTORY:
            return Answer(payload=[])
    found = [message for message in reversed(channel.messages.values()) if not message.is_ephemeral]
    kept = [one for one in found if (before is None or one.id < before) and (after is None or one.id > after)]
    return Answer(payload=[message.payload() for message in kept[:limit]])


def message(call: Call) -> Answer:
    """Show a message."""
    return Answer(payload=_found(call, seen(call)).payload())


def create(call: Call) -> Answer:
    """Write a message."""
    channel = seen(call)
    made = draft(call.fields, files=bool(call.files))
    return Answer(payload=messages.post(call.world, call.actor, channel, made).payload())


def edit(call: Call) -> Answer:
    """Change one's own message."""
    channel = seen(call)
    found = _found(call, channel)
    if found.author.id != call.actor.id:
        raise refuse(50005)
    now = {"content": found.content, "embeds": found.embeds, "components": found.components}
    made = draft({**now, **call.fields}, files=bool(call.files))
    return Answer(payload=messages.edit(call.world, found, channel, made).payload())


def delete(call: Call) -> Answer:
    """Remove a message."""
    channel = seen(call)
    messages.delete(call.world, call.actor, channel, _found(call, channel), call.reason)
    return NOTHING


def _found(call: Call, channel: Channel) -> Message:
    found = channel.messages.get(call.id("message_id"))
    if found is None or found.is_ephemeral:
        raise refuse(10008)
    return found


ROUTES = (
    Endpoint("GET", "/channels/{channel_id}/messages", listing),
    Endpoint("POST", "/channels/{channel_id}/messages", create, "messages"),
    Endpoint("GET", "/channels/{channel_id}/messages/{message_id}", message),
    Endpoint("PATCH", "/channels/{channel_id}/messages/{message_id}", edit, "messages"),
    Endpoint("DELETE", "/channels/{channel_id}/messages/{message_id}", delete, "message-delete"),
)
