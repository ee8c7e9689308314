"""What the app is told of, if it subscribed and may know: https://docs.slack.dev/reference/events."""

from typing import TYPE_CHECKING

from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload
from sandbox.slack.ids import seconds
from sandbox.slack.manifest import EVENT_SCOPES
from sandbox.slack.usergroups import UserGroup
from sandbox.slack.users import User
from sandbox.slack.workspaces import Workspace
from sandbox.slack.world import Outbound

if TYPE_CHECKING:
    from sandbox.slack.world import World

_ABOUT_MEMBERS = frozenset({"member_joined_channel", "member_left_channel"})


def publish(world: "World", workspace: Workspace, event: Payload, channel: Channel | None = None) -> None:
    """Send the event to the app, unless it did not subscribe, lacks the scope, or is not in the ``channel`` it is about."""
    world.changes.notify()
    kind: str = event["type"]
    if workspace.bot is None or workspace.bot.deleted or kind not in world.app.events:
        return
    token = world.bot_token(workspace)
    needed = EVENT_SCOPES[kind]
    if channel is not None and channel.private and needed == "channels:read":
        needed = "groups:read"
    if token is None or (needed and needed not in token.scopes):
        return
    if channel is not None and (channel.private or kind in _ABOUT_MEMBERS) and workspace.bot.id not in channel.members:
        return
    event = {**event, "event_ts": world.ids.ts()}
    world.send(Outbound("events_api", kind, _envelope(world, workspace, workspace.bot, event)))


def _envelope(world: "World", workspace: Workspace, bot: User, event: Payload) -> Payload:
    enterprise = workspace.enterprise.id if workspace.enterprise else None
    return {
        "token": world.app.verification_token,
        "team_id": workspace.id,
        **({"enterprise_id": enterprise} if enterprise else {}),
        "api_app_id": world.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": world.ids.id("Ev"),
        "event_time": seconds(world.clock.now()),
        "authorizations": [
            {
                "enterprise_id": enterprise,
                "team_id": workspace.id,
                "user_id": bot.id,
                "is_bot": True,
                "is_enterprise_install": world.tokens.bot_token(workspace.id) is None,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{world.ids.secret(60)}",
    }


def user_event(world: "World", workspace: Workspace, kind: str, user: User) -> None:
    """Tell of somebody who is new (team_join) or changed (user_change)."""
    token = world.bot_token(workspace)
    with_email = token is not None and "users:read.email" in token.scopes
    body = {"type": kind, "user": user.payload(with_email=with_email), "cache_ts": seconds(world.clock.now())}
    publish(world, workspace, body)


def channel_event(world: "World", channel: Channel, what: str, actor: str) -> None:
    """Tell of a channel that was archived, unarchived, deleted or renamed."""
    kind = f"{channel.event_prefix}_{what}"
    if what == "rename":
        body: Payload = {"type": kind, "channel": {"id": channel.id, "name": channel.name, "created": seconds(channel.created)}}
    else:
        body = {"type": kind, "channel": channel.id, "user": actor}
    publish(world, world.workspace_of(channel), body, channel)


def group_event(world: "World", workspace: Workspace, group: UserGroup, added: list[str], removed: list[str]) -> None:
    """Tell of a user group that changed, and of who came and went."""
    publish(world, workspace, {"type": "subteam_updated", "subteam": group.payload()})
    if added or removed:
        publish(
            world,
            workspace,
            {
                "type": "subteam_members_changed",
                "subteam_id": group.id,
                "team_id": workspace.id,
                "date_previous_update": seconds(group.updated),
                "date_update": seconds(group.updated),
                "added_users": added,
                "added_users_count": len(added),
                "removed_users": removed,
                "removed_users_count": len(removed),
            },
        )
