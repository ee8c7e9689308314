"""Who is in a workspace: joining, guests, and the end of an account in it."""

from typing import TYPE_CHECKING

from sandbox.slack import birth, events, membership
from sandbox.slack.channels import Channel
from sandbox.slack.errors import RefusedError
from sandbox.slack.plans import Role
from sandbox.slack.users import Account, User
from sandbox.slack.workspaces import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.slack.world import World


def join(world: "World", workspace: Workspace, account: Account, role: Role = Role.MEMBER, channels: "Sequence[Channel]" = ()) -> User:
    """Let somebody in, or back in: members land in #general, guests in ``channels`` only."""
    user = workspace.user_of(account)
    if user is not None and not user.deleted:
        raise RefusedError("already_in_team")
    if user is None:
        user = birth.new_user(world, workspace, account, role)
        events.user_event(world, workspace, "team_join", user)
    else:
        user.deleted, user.role, user.updated = False, role, world.clock.now()
        events.user_event(world, workspace, "user_change", user)
    for one in channels if user.is_guest else [workspace.general, *channels]:
        membership.join(world, one, user)
    return user


def accept_link(world: "World", code: str, account: Account) -> Workspace:
    """Join through a shared invite link; RefusedError when it is revoked, too old, used up or unknown."""
    found = world.link(code)
    if found is None:
        raise RefusedError("invalid_link")
    workspace = found[0]
    link = workspace.links[code]
    if not link.open(world.clock.now()):
        raise RefusedError("link_revoked" if link.revoked else "link_expired")
    if (user := workspace.user_of(account)) is not None and not user.deleted:
        return workspace
    if user is not None:
        raise RefusedError("user_disabled")  # only an administrator brings a deactivated account back
    link.uses += 1
    join(world, workspace, account)
    return workspace


def deactivate(world: "World", workspace: Workspace, user: User) -> None:
    """End somebody's account here: out of every channel and group, tokens dead."""
    if user.role == Role.PRIMARY_OWNER:
        raise RefusedError("cannot_deactivate_primary_owner")
    user.deleted, user.updated = True, world.clock.now()
    for channel_id in sorted(user.channels):
        channel = workspace.channels[channel_id]
        channel.members.pop(user.id, None)
        world.note_hold(channel_id, user.id, held=False)
    user.channels.clear()
    for group in workspace.groups.values():
        if user.id in group.users:
            group.users.remove(user.id)
            world.note_hold(group.id, user.id, held=False)
    for token in world.tokens.of(workspace.id, user.id):
        world.tokens.kill(token, "account_inactive")
    events.user_event(world, workspace, "user_change", user)


def set_role(world: "World", workspace: Workspace, user: User, role: Role) -> None:
    """Make somebody an administrator, an owner, a member again."""
    user.role, user.updated = role, world.clock.now()
    events.user_event(world, workspace, "user_change", user)
