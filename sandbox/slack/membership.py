"""Coming into channels and going: what API calls and people's own hands both do."""

from typing import TYPE_CHECKING

from sandbox.slack import events
from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.plans import Role
from sandbox.slack.users import User
from sandbox.slack.workspaces import Workspace

if TYPE_CHECKING:
    from sandbox.slack.world import World


def join(world: "World", channel: Channel, user: User, inviter: str | None = None) -> None:
    """Put ``user`` into the channel and tell of it."""
    channel.members[user.id] = None
    user.channels.add(channel.id)
    world.note_hold(channel.id, user.id, held=True)
    events.publish(world, world.workspace_of(channel), _news("member_joined_channel", channel, user, inviter), channel)


def leave(world: "World", channel: Channel, user: User) -> None:
    """Take ``user`` out of the channel and tell of it, also a bot about itself."""
    events.publish(world, world.workspace_of(channel), _news("member_left_channel", channel, user, None), channel)
    channel.members.pop(user.id, None)
    user.channels.discard(channel.id)
    world.note_hold(channel.id, user.id, held=False)
    world.changes.notify()


def invitation_problem(world: "World", workspace: Workspace, channel: Channel, user_id: str, actor: User) -> str | None:
    """Return why this one user cannot be invited, or None."""
    user = workspace.users.get(user_id)
    if user is None:
        return "org_user_not_in_team" if _elsewhere(world, workspace, user_id) else "user_not_found"
    if user.id == actor.id:
        return "cant_invite_self"
    if user.deleted:
        return "user_disabled"
    if user.id in channel.members:
        return "already_in_channel"
    if user.role == Role.SINGLE_CHANNEL_GUEST and user.channels:
        return "ura_max_channels"
    return None


def remove(world: "World", workspace: Workspace, channel: Channel, user_id: str, actor: User) -> None:
    """Remove somebody from a channel as ``actor``, who must be in it and be allowed to."""
    if channel.general:
        raise RefusedError("cant_kick_from_general")
    if actor.id not in channel.members:
        raise RefusedError("channel_not_found" if channel.private else "not_in_channel")
    if actor.is_guest:
        raise RefusedError("user_is_restricted")
    if user_id == actor.id:
        raise RefusedError("cant_kick_self")
    user = workspace.user(user_id)
    if user.id not in channel.members:
        raise RefusedError("not_in_channel")
    wanted = workspace.preferences.remove_from_private if channel.private else workspace.preferences.remove_from_public
    if workspace.member_role(actor) < wanted:
        raise RefusedError("restricted_action")
    leave(world, channel, user)


def _elsewhere(world: "World", workspace: Workspace, user_id: str) -> bool:
    others = (one for one in world.workspaces.values() if one is not workspace and one.enterprise is workspace.enterprise)
    return workspace.enterprise is not None and any(user_id in one.users for one in others)


def _news(kind: str, channel: Channel, user: User, inviter: str | None) -> Payload:
    body = {
        "type": kind,
        "user": user.id,
        "channel": channel.id,
        "channel_type": "G" if channel.private else "C",
        "team": channel.team_id,
    }
    return body | ({"inviter": inviter} if inviter else {})
