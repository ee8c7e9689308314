from sandbox.slack import birth, interactions, posting
from sandbox.slack.channels import Channel
from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.messages import Message


def post(call: Call) -> Payload:
    """Say something in a channel or to a person."""
    channel = _place(call)
    words = posting.examine(call.text("text", ""), call.structure("blocks"))
    message = posting.by_bot(call.world, call.workspace, channel, *words, thread_ts=call.text("thread_ts", "") or None)
    message.user_id = call.actor.id
    posting.say(call.world, channel, message)
    return {"channel": channel.id, "ts": message.ts, "message": message.payload()}


def post_ephemeral(call: Call) -> Payload:
    """Show something to one person in a channel."""
    channel = _place(call)
    user = call.workspace.user(call.text("user"))
    when(user.id not in channel.members or user.deleted, "user_not_in_channel")
    words = posting.examine(call.text("text", ""), call.structure("blocks"))
    message = posting.by_bot(call.world, call.workspace, channel, *words, to=user.id)
    posting.whisper(call.world, message, interactions.waiting(call.world, call.workspace.id, user.id))
    return {"message_ts": message.ts}


def update(call: Call) -> Payload:
    """Edit an own message."""
    channel, message = _own(call, "cant_update_message")
    posting.rewrite(call.world, message, *posting.examine(call.text("text", ""), call.structure("blocks")))
    body = {key: value for key, value in message.payload().items() if key not in {"ts", "team"}}
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": body}


def delete(call: Call) -> Payload:
    """Delete an own message."""
    channel, message = _own(call, "cant_delete_message")
    message.gone = True
    del channel.messages[message.ts]
    call.world.changes.notify()
    return {"channel": channel.id, "ts": message.ts}


def permalink(call: Call) -> Payload:
    """Return the address of a message."""
    channel = call.channel()
    ts = call.text("message_ts")
    when(ts not in channel.messages, "message_not_found")
    link = f"https://{call.workspace.domain}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def _own(call: Call, error: str) -> tuple[Channel, Message]:
    channel = call.channel()
    message = channel.messages.get(call.text("ts"))
    if message is None:
        raise RefusedError("message_not_found")
    when(message.user_id != call.actor.id, error)
    return channel, message


def _place(call: Call) -> Channel:
    """Return where to post: a channel, or the conversation with the person whose id is given instead."""
    target = call.text("channel")
    if target.startswith("#"):
        named = (one for one in call.workspace.channels.values() if one.name == target[1:] and not one.is_im)
        target = call.args["channel"] = next((one.id for one in named), target)
    if target in call.workspace.users:
        user = call.workspace.users[target]
        when(user.is_bot, "cannot_dm_bot")
        channel = birth.conversation(call.world, call.workspace, user)
    else:
        channel = call.channel()
    when(channel.archived, "is_archived")
    if channel.partner is not None:
        when(call.workspace.users[channel.partner].deleted, "user_disabled")
        when(not call.world.app.messages_tab, "messages_tab_disabled")
    elif call.actor.id not in channel.members:
        when("chat:write.public" not in call.granted.scopes, "not_in_channel")
    return channel


_WRITE = ("chat:write",)
ROUTES = (
    Endpoint("chat.postMessage", "post", post, _WRITE),
    Endpoint("chat.postEphemeral", "4", post_ephemeral, _WRITE),
    Endpoint("chat.update", "3", update, _WRITE),
    Endpoint("chat.delete", "3", delete, _WRITE),
    Endpoint("chat.getPermalink", "auth", permalink),
)
