"""What a person does with a workspace in Slack's client, as far as it lets them: channels, groups, people, links, apps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sandbox.slack import birth, events, installation, membership, roster
from sandbox.slack.channels import Channel
from sandbox.slack.plans import Role
from sandbox.slack.usergroups import UserGroup
from sandbox.slack.users import Account, User
from sandbox.slack.workspaces import Workspace

if TYPE_CHECKING:
    from sandbox.slack.world import World


class CannotError(Exception):
    """The client does not let this person do that."""


class Steward:
    """Somebody with an account. Each deed raises CannotError, or RefusedError with Slack's word, when it is not theirs to do."""

    def __init__(self, world: "World", account: Account) -> None:
        self._world = world
        self.account = account

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def email(self) -> str:
        return self.account.email

    def user(self, workspace: Workspace) -> User:
        """Return who they are in a workspace; CannotError when they are not in it (any more)."""
        found = workspace.user_of(self.account)
        if found is None or found.deleted:
            raise CannotError(f"{self.name} is not in {workspace.name}")
        return found

    def id(self, workspace: Workspace) -> str:
        """Return their user id in a workspace, also after they were deactivated."""
        found = workspace.user_of(self.account)
        if found is None:
            raise CannotError(f"{self.name} was never in {workspace.name}")
        return found.id

    # channels

    def create_channel(self, workspace: Workspace, name: str, *, private: bool = False) -> Channel:
        """Make a channel with themselves in it."""
        return birth.create_channel(self._world, workspace, self.user(workspace), name, private=private)

    def add_to_channel(self, channel: Channel, other: "Steward") -> None:
        """Add somebody to a channel they are in; any member may, also to a private one."""
        workspace = self._world.workspace_of(channel)
        me = self._member(channel)
        if me.is_guest:
            raise CannotError(f"{self.name} is a guest")
        problem = membership.invitation_problem(self._world, workspace, channel, other.user(workspace).id, me)
        if problem is not None:
            raise CannotError(f"{other.name} cannot be added to #{channel.name}: {problem}")
        membership.join(self._world, channel, other.user(workspace), inviter=me.id)

    def add_app(self, channel: Channel) -> None:
        """Add our app to a channel, as ``/invite @app`` does."""
        workspace = self._world.workspace_of(channel)
        me = self._member(channel)
        if workspace.bot is None or workspace.bot.deleted:
            raise CannotError(f"the app is not in {workspace.name}")
        if workspace.bot.id not in channel.members:
            membership.join(self._world, channel, workspace.bot, inviter=me.id)

    def remove_app(self, channel: Channel) -> None:
        """Remove our app from a channel."""
        workspace = self._world.workspace_of(channel)
        if workspace.bot is not None:
            membership.remove(self._world, workspace, channel, workspace.bot.id, self._member(channel))

    def remove_from_channel(self, channel: Channel, other: "Steward") -> None:
        """Remove somebody from a channel, if the workspace's preferences let them."""
        workspace = self._world.workspace_of(channel)
        membership.remove(self._world, workspace, channel, other.id(workspace), self.user(workspace))

    def join_channel(self, channel: Channel) -> None:
        """Join a public channel."""
        me = self.user(self._world.workspace_of(channel))
        if channel.private or me.is_guest:
            raise CannotError(f"{self.name} needs to be invited to #{channel.name}")
        membership.join(self._world, channel, me)

    def leave(self, channel: Channel) -> None:
        """Leave a channel."""
        membership.leave(self._world, channel, self._member(channel))

    def archive(self, channel: Channel) -> None:
        """Archive a channel."""
        me = self._member(channel)
        channel.archived = True
        events.channel_event(self._world, channel, "archive", me.id)

    def unarchive(self, channel: Channel) -> None:
        """Bring a channel back."""
        channel.archived = False
        events.channel_event(self._world, channel, "unarchive", self.user(self._world.workspace_of(channel)).id)

    def rename_channel(self, channel: Channel, name: str) -> None:
        """Give a channel another name."""
        me = self._member(channel)
        channel.name = name
        events.channel_event(self._world, channel, "rename", me.id)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a channel for good, which owners and admins may."""
        workspace = self._world.workspace_of(channel)
        me = self._administrator(workspace)
        events.channel_event(self._world, channel, "deleted", me.id)
        del workspace.channels[channel.id]
        for user_id in channel.members:
            workspace.users[user_id].channels.discard(channel.id)
            self._world.note_hold(channel.id, user_id, held=False)

    # groups

    def create_group(self, workspace: Workspace, name: str, handle: str, members: Sequence["Steward"] = ()) -> UserGroup:
        """Make a user group, which needs a paid plan."""
        me = self.user(workspace)
        if not workspace.plan.paid or me.role < workspace.preferences.manage_groups:
            raise CannotError(f"{self.name} cannot make user groups in {workspace.name}")
        return birth.create_group(self._world, workspace, me, name, handle, [one.user(workspace).id for one in members])

    # people

    def invite_link(self, workspace: Workspace) -> str:
        """Copy a new shared invite link: good for 30 days and 400 people."""
        if self.user(workspace).role < workspace.preferences.invite_people:
            raise CannotError(f"{self.name} may not invite people to {workspace.name}")
        link = birth.new_link(self._world, workspace, self.user(workspace))
        return f"{self._world.base_url}/join/{link.code}"

    def revoke_link(self, link: str) -> None:
        """Deactivate a shared invite link."""
        found = self._world.link(link.rsplit("/", 1)[-1])
        if found is None:
            raise CannotError("there is no such link")
        self._administrator(found[0])
        found[0].links[found[1]].revoked = True

    def invite_guest(self, workspace: Workspace, other: "Steward", channels: Sequence[Channel]) -> None:
        """Bring somebody in as a guest: of a single channel if there is one, of several otherwise. Paid plans only."""
        self._administrator(workspace)
        if not workspace.plan.paid:
            raise CannotError(f"{workspace.name} is on the free plan, which has no guests")
        role = Role.SINGLE_CHANNEL_GUEST if len(channels) == 1 else Role.GUEST
        roster.join(self._world, workspace, other.account, role, channels)

    def deactivate(self, workspace: Workspace, other: "Steward") -> None:
        """Deactivate somebody's account in the workspace."""
        self._administrator(workspace)
        roster.deactivate(self._world, workspace, other.user(workspace))

    def reactivate(self, workspace: Workspace, other: "Steward") -> None:
        """Bring a deactivated account back, into #general only."""
        self._administrator(workspace)
        roster.join(self._world, workspace, other.account)

    def promote(self, workspace: Workspace, other: "Steward", role: Role = Role.ADMIN) -> None:
        """Make somebody an administrator, an owner, or a member again."""
        self._administrator(workspace)
        roster.set_role(self._world, workspace, other.user(workspace), role)

    # the app

    def uninstall(self, workspace: Workspace) -> None:
        """Remove our app from the workspace."""
        self._administrator(workspace)
        installation.uninstall(self._world, workspace)

    def _member(self, channel: Channel) -> User:
        me = self.user(self._world.workspace_of(channel))
        if me.id not in channel.members:
            raise CannotError(f"{self.name} is not in #{channel.name}")
        return me

    def _administrator(self, workspace: Workspace) -> User:
        me = self.user(workspace)
        if not me.is_admin:
            raise CannotError(f"{self.name} is no administrator of {workspace.name}")
        return me
