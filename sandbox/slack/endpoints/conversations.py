from sandbox.slack import birth, events, membership
from sandbox.slack.channels import Channel
from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.errors import Payload, RefusedError, invalid_arguments
from sandbox.slack.plans import Role

READ = {"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read"}


def listing(call: Call) -> Payload:
    """List channels the caller can see."""
    kinds = _kinds(call)
    me = call.actor
    shown = [
        one
        for one in call.workspace.channels.values()
        if one.kind in kinds
        and (me.id in one.members or not (one.private or me.is_guest))
        and not (one.archived and call.flag("exclude_archived"))
    ]
    page, after = call.page(shown)
    return {"channels": [one.payload(me.id, counted=not one.is_im) for one in page], **after}


def of_user(call: Call) -> Payload:
    """List the channels somebody is in, as far as the caller can see them."""
    kinds = _kinds(call)
    me = call.actor
    user = call.workspace.user(call.text("user", me.id))
    shown = [
        one
        for one in call.workspace.channels.values()
        if one.kind in kinds
        and user.id in one.members
        and (me.id in one.members or not one.private)
        and not (one.archived and call.flag("exclude_archived"))
    ]
    page, after = call.page(shown)
    return {"channels": [one.payload(me.id, short=True) for one in page], **after}


def info(call: Call) -> Payload:
    """Describe one channel."""
    channel = call.channel()
    call.need(READ[channel.kind])
    return {"channel": channel.payload(call.actor.id, counted=call.flag("include_num_members"))}


def create(call: Call) -> Payload:
    """Make a channel with the caller in it."""
    private = call.flag("is_private")
    _need_manage(call, private=private)
    workspace, me = call.workspace, call.actor
    when(me.is_guest, "user_is_restricted")
    wanted = workspace.preferences.create_private if private else workspace.preferences.create_public
    when(workspace.member_role(me) < wanted, "restricted_action")
    channel = birth.create_channel(call.world, workspace, me, call.text("name"), private=private)
    return {"channel": channel.payload(me.id)}


def join(call: Call) -> Payload:
    """Join a public channel."""
    call.need("channels:join", "channels:write")
    channel = call.channel()
    when(channel.private, "method_not_supported_for_channel_type")
    when(channel.archived, "is_archived")
    when(call.actor.is_guest, "user_is_restricted")
    if call.actor.id in channel.members:
        body = {"channel": channel.payload(call.actor.id), "warning": "already_in_channel"}
        return {**body, "response_metadata": {"warnings": ["already_in_channel"]}}
    membership.join(call.world, channel, call.actor)
    return {"channel": channel.payload(call.actor.id)}


def leave(call: Call) -> Payload:
    """Leave a channel."""
    channel = _managed(call)
    when(channel.general, "cant_leave_general")
    when(channel.archived, "is_archived")
    if call.actor.id not in channel.members:
        return {"not_in_channel": True}
    membership.leave(call.world, channel, call.actor)
    return {}


def archive(call: Call) -> Payload:
    """Archive a channel."""
    channel = _managed(call)
    when(channel.archived, "already_archived")
    when(channel.general, "cant_archive_general")
    when(call.actor.is_guest, "user_is_restricted")
    when(call.actor.id not in channel.members and not call.actor.is_admin, "not_in_channel")
    when(call.workspace.member_role(call.actor) < call.workspace.preferences.archive_channels, "restricted_action")
    channel.archived = True
    events.channel_event(call.world, channel, "archive", call.actor.id)
    return {}


def unarchive(call: Call) -> Payload:
    """Bring a channel back, which no bot can."""
    channel = _managed(call)
    when(not channel.archived, "not_archived")
    when(call.actor.is_bot, "user_is_bot")
    channel.archived = False
    events.channel_event(call.world, channel, "unarchive", call.actor.id)
    return {}


def rename(call: Call) -> Payload:
    """Give a channel another name."""
    channel = _managed(call)
    when(call.actor.id not in channel.members, "not_in_channel")
    allowed = channel.creator == call.actor.id or call.actor.role >= Role.ADMIN
    when(not allowed, "not_authorized")
    name = call.text("name")
    when(any(one.name == name for one in call.workspace.channels.values() if one is not channel), "name_taken")
    channel.name = name
    events.channel_event(call.world, channel, "rename", call.actor.id)
    return {"channel": channel.payload(call.actor.id)}


def open_direct(call: Call) -> Payload:
    """Open the direct conversation with one person."""
    call.need("im:write")
    users = call.names("users", "")
    if not users:
        when("channel" not in call.args, "users_list_not_supplied")
        channel = call.channel()
        when(not channel.is_im, "method_not_supported_for_channel_type")
    else:
        when(len(users) > 1, "not_enough_users")
        user = call.workspace.user(users[0])
        when(user.deleted, "user_disabled")
        when(user.is_bot, "cannot_dm_bot")
        channel = birth.conversation(call.world, call.workspace, user)
    if call.flag("return_im"):
        return {"no_op": True, "already_open": True, "channel": channel.payload(call.actor.id)}
    return {"channel": {"id": channel.id}}


def _kinds(call: Call) -> set[str]:
    kinds = set(call.names("types", "public_channel"))
    if not kinds <= READ.keys():
        raise RefusedError("invalid_types") if kinds else invalid_arguments("types must not be empty")
    for kind in sorted(kinds, reverse=True):
        call.need(READ[kind])
    return kinds


def _managed(call: Call) -> Channel:
    channel = call.channel()
    when(channel.is_im, "method_not_supported_for_channel_type")
    _need_manage(call, private=channel.private)
    return channel


def _need_manage(call: Call, *, private: bool) -> None:
    call.need(*(("groups:write",) if private else ("channels:manage", "channels:write")))


ROUTES = (
    Endpoint("conversations.list", "2", listing),
    Endpoint("users.conversations", "3", of_user),
    Endpoint("conversations.info", "3", info),
    Endpoint("conversations.create", "2", create),
    Endpoint("conversations.join", "3", join),
    Endpoint("conversations.leave", "3", leave),
    Endpoint("conversations.archive", "2", archive),
    Endpoint("conversations.unarchive", "2", unarchive),
    Endpoint("conversations.rename", "2", rename),
    Endpoint("conversations.open", "3", open_direct),
)
