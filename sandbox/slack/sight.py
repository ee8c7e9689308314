"""What somebody in a workspace can read."""

from sandbox.slack.channels import Channel
from sandbox.slack.users import User
from sandbox.slack.workspaces import Workspace


def can_read(workspace: Workspace, user: User, channel: Channel) -> bool:
    """Whether the user may read what is said there: members may, and full members read every public channel."""
    if user.deleted or channel.id not in workspace.channels:
        return False
    return user.id in channel.members or not (channel.private or user.is_guest)


def channels(workspace: Workspace, user: User) -> list[Channel]:
    """Return the channels in the user's sidebar."""
    return [one for one in workspace.channels.values() if user.id in one.members and not one.is_im and not one.archived]
