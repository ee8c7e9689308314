"""Who is in a channel: read, invited, removed, and asked in from another workspace."""

from sandbox.slack import membership
from sandbox.slack.channels import Channel
from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.endpoints.conversations import READ
from sandbox.slack.errors import Payload, RefusedError

AT_ONCE = 100


def members(call: Call) -> Payload:
    """List who is in a channel."""
    channel = call.channel()
    call.need(READ[channel.kind])
    page, after = call.page(list(channel.members))
    return {"members": page, **after}


def invite(call: Call) -> Payload:
    """Invite up to a hundred: all or, with ``force``, those who can be."""
    channel = call.channel()
    when(channel.is_im, "method_not_supported_for_channel_type")
    kind = "groups" if channel.private else "channels"
    call.need("groups:write" if channel.private else "channels:manage", f"{kind}:write.invites", f"{kind}:write")
    users = list(dict.fromkeys(call.names("users")))
    when(not users, "no_user")
    when(len(users) > AT_ONCE, "too_many_users")
    when(call.actor.is_guest, "user_is_restricted")
    when(channel.archived, "is_archived")
    when(call.actor.id not in channel.members, "not_in_channel")
    return _invite(call, channel, users)


def _invite(call: Call, channel: Channel, users: list[str]) -> Payload:
    problems = {one: membership.invitation_problem(call.world, call.workspace, channel, one, call.actor) for one in users}
    errors = [{"user": user, "ok": False, "error": problem} for user, problem in problems.items() if problem]
    if errors and (len(errors) == len(users) or not call.flag("force")):
        raise RefusedError(str(errors[0]["error"]), errors=errors)
    for user, problem in problems.items():
        if problem is None:
            membership.join(call.world, channel, call.workspace.users[user], inviter=call.actor.id)
    return {"channel": channel.payload(call.actor.id), **({"errors": errors} if errors else {})}


def kick(call: Call) -> Payload:
    """Remove one person."""
    channel = call.channel()
    when(channel.is_im, "method_not_supported_for_channel_type")
    call.need(*(("groups:write",) if channel.private else ("channels:manage", "channels:write")))
    when(channel.archived, "is_archived")
    membership.remove(call.world, call.workspace, channel, call.text("user"), call.actor)
    return {}


def invite_shared(call: Call) -> Payload:
    """Send a Slack Connect invitation for one channel to somebody outside."""
    when(not call.workspace.plan.paid, "not_paid")
    channel = call.channel()
    when(channel.is_im, "method_not_supported_for_channel_type")
    when(channel.general, "general_channel_not_allowed")
    when(channel.archived, "is_archived")
    when(call.actor.id not in channel.members, "not_in_channel")
    emails, users = call.names("emails", ""), call.names("user_ids", "")
    when(bool(emails) == bool(users), "too_many_users" if emails else "no_users_provided")
    when(len(emails) + len(users) != 1, "too_many_emails" if emails else "too_many_users")
    when(emails and "@" not in emails[0], "invalid_email")
    sent = {
        "invite_id": call.world.ids.id("I"),
        "conf_code": call.world.ids.secret(11),
        "url": f"{call.world.base_url}/share/{call.world.ids.secret(20)}",
        "is_legacy_shared_channel": False,
    }
    limited = call.flag("external_limited", default=True)
    channel.shared_invites.append({**sent, "to": (emails or users)[0], "limited": limited})
    return sent


ROUTES = (
    Endpoint("conversations.members", "4", members),
    Endpoint("conversations.invite", "3", invite),
    Endpoint("conversations.kick", "3", kick),
    Endpoint("conversations.inviteShared", "2", invite_shared, ("conversations.connect:write",)),
)
