from sandbox.discord import channels, messages
from sandbox.discord.channels import Channel, Overwrite
from sandbox.discord.endpoints.call import NOTHING, Answer, Call, Endpoint
from sandbox.discord.errors import Payload, refuse
from sandbox.discord.guilds import Guild
from sandbox.discord.shapes import number, text


def seen(call: Call) -> Channel:
    """Return the channel in the path; 10003 when unknown, 50001 when the caller cannot see it."""
    channel = call.world.channel(call.id("channel_id"))
    if channel.guild_id is not None:
        call.world.guild_for(call.actor.id, channel.guild_id)
    messages.require_view(call.world, call.actor, channel)
    return channel


def channel(call: Call) -> Answer:
    """Show a channel."""
    return Answer(payload=seen(call).payload(call.actor.id))


def delete(call: Call) -> Answer:
    """Remove a channel or thread."""
    found = seen(call)
    channels.delete(call.world, _guild(call, found), call.actor.id, found, call.reason)
    return Answer(payload=found.payload())


def overwrite(call: Call) -> Answer:
    """Allow and deny rights in a channel."""
    found = seen(call)
    channels.overwrite(call.world, _guild(call, found), call.actor.id, found, read_overwrite(call.id("overwrite_id"), call.fields))
    return NOTHING


def create_thread(call: Call) -> Answer:
    """Open a thread; private unless told otherwise, as the API's default is."""
    found = seen(call)
    kind = number(call.fields.get("type") or channels.PRIVATE_THREAD, "type", 0, 20)
    if kind not in channels.THREADS:
        raise refuse(50024)
    thread = Channel(call.world.ids.snowflake(), kind, text(call.fields, "name", 100))
    return Answer(201, channels.start_thread(call.world, _guild(call, found), call.actor.id, found, thread, call.reason).payload())


def create_thread_from(call: Call) -> Answer:
    """Open a public thread on a message; it takes the message's id."""
    found = seen(call)
    message_id = call.id("message_id")
    if message_id not in found.messages:
        raise refuse(10008)
    thread = Channel(message_id, channels.PUBLIC_THREAD, text(call.fields, "name", 100))
    return Answer(201, channels.start_thread(call.world, _guild(call, found), call.actor.id, found, thread, call.reason).payload())


def add_to_thread(call: Call) -> Answer:
    """Bring a member of the server into a thread."""
    found = seen(call)
    if not found.is_thread:
        raise refuse(50024)
    user_id = call.actor.id if call.path.get("user_id") is None else call.id("user_id")
    found.people[user_id] = _guild(call, found).member(user_id).user
    return NOTHING


def remove_from_thread(call: Call) -> Answer:
    """Take someone out of a thread."""
    found = seen(call)
    if not found.is_thread:
        raise refuse(50024)
    found.people.pop(call.actor.id if call.path.get("user_id") is None else call.id("user_id"), None)
    return NOTHING


def read_overwrite(target: int, fields: Payload) -> Overwrite:
    """Return what ``fields`` allow and deny to the role or member ``target``."""
    bits = {key: number(fields.get(key) or 0, key, 0, (1 << 63) - 1) for key in ("allow", "deny")}
    return Overwrite(target, number(fields.get("type") or 0, "type", 0, 1), **bits)


def _guild(call: Call, found: Channel) -> Guild:
    if found.guild_id is None:
        raise refuse(50003)
    return call.world.guild(found.guild_id)


ROUTES = (
    Endpoint("GET", "/channels/{channel_id}", channel),
    Endpoint("DELETE", "/channels/{channel_id}", delete),
    Endpoint("PUT", "/channels/{channel_id}/permissions/{overwrite_id}", overwrite),
    Endpoint("POST", "/channels/{channel_id}/threads", create_thread, "threads"),
    Endpoint("POST", "/channels/{channel_id}/messages/{message_id}/threads", create_thread_from, "threads"),
    Endpoint("PUT", "/channels/{channel_id}/thread-members/@me", add_to_thread),
    Endpoint("DELETE", "/channels/{channel_id}/thread-members/@me", remove_from_thread),
    Endpoint("PUT", "/channels/{channel_id}/thread-members/{user_id}", add_to_thread),
    Endpoint("DELETE", "/channels/{channel_id}/thread-members/{user_id}", remove_from_thread),
)
