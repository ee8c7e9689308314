"""How a world, its workspaces, channels and groups come to be: what the client's own buttons do."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from core.clock import Clock
from sandbox.slack import events, membership
from sandbox.slack.app import register
from sandbox.slack.channels import Channel
from sandbox.slack.errors import RefusedError
from sandbox.slack.ids import Ids
from sandbox.slack.manifest import Manifest
from sandbox.slack.oauth import Codes
from sandbox.slack.plans import Plan, Role
from sandbox.slack.tokens import Tokens
from sandbox.slack.usergroups import UserGroup
from sandbox.slack.users import Account, User
from sandbox.slack.workspaces import LINK_LIFE, Enterprise, InviteLink, Workspace
from sandbox.slack.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"[a-z0-9][a-z0-9_\-]{0,79}")


def new_world(clock: Clock, seed: int, moments: Callable[[], float], manifest: Manifest) -> World:
    """Make a Slack with nobody in it, and our app's configuration; ids and secrets come from ``seed``."""
    ids = Ids(clock, seed)
    return World(clock, ids, moments, register(ids, manifest), Tokens(clock, ids), Codes(clock, ids))


def found_workspace(world: World, owner: Account, name: str, plan: Plan, organisation: str | None) -> Workspace:
    """Make a workspace with #general and its primary owner. On Enterprise it belongs to ``organisation``, which is made if need be."""
    domain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "workspace"
    enterprise = None
    if plan is Plan.ENTERPRISE:
        title = organisation or name
        enterprise = world.enterprises.setdefault(title, Enterprise(world.ids.id("E"), title))
    workspace = Workspace(world.ids.id("T"), name, domain, plan, world.clock.now(), enterprise)
    world.workspaces[workspace.id] = workspace
    workspace.preferences.invite_people = Role.ADMIN if plan.paid else Role.MEMBER
    user = new_user(world, workspace, owner, Role.PRIMARY_OWNER)
    create_channel(world, workspace, user, "general", general=True)
    return workspace


def new_user(world: World, workspace: Workspace, account: Account, role: Role) -> User:
    """Make the user an account is in a workspace; in an organisation it keeps its id over all workspaces."""
    known = None
    if workspace.enterprise is not None:
        others = (one.user_of(account) for one in world.workspaces.values() if one.enterprise is workspace.enterprise)
        known = next((one for one in others if one is not None), None)
    user = User(known.id if known else world.ids.id("U"), workspace.id, account.name, account.real_name, role, world.clock.now(), account)
    user.enterprise_id = workspace.enterprise.id if workspace.enterprise else None
    workspace.users[user.id] = user
    return user


def create_channel(
    world: World, workspace: Workspace, creator: User, name: str, *, private: bool = False, general: bool = False
) -> Channel:
    """Make a channel with its creator in it."""
    if not name:
        raise RefusedError("invalid_name_required")
    if not _NAME.fullmatch(name):
        raise RefusedError("invalid_name_specials" if len(name) <= 80 else "invalid_name_maxlength")  # noqa: PLR2004 - Slack's limit
    if any(one.name == name and not one.is_im for one in workspace.channels.values()):
        raise RefusedError("name_taken")
    channel = Channel(world.ids.id("C"), workspace.id, name, creator.id, world.clock.now(), private, general)
    workspace.channels[channel.id] = channel
    membership.join(world, channel, creator)
    if not private and not general:
        about = {"id": channel.id, "name": name, "created": int(channel.created.timestamp()), "creator": creator.id}
        events.publish(world, workspace, {"type": "channel_created", "channel": about})
    return channel


def create_group(world: World, workspace: Workspace, creator: User, name: str, handle: str, users: "Sequence[str]" = ()) -> UserGroup:
    """Make a user group."""
    if any(one.name == name for one in workspace.groups.values()):
        raise RefusedError("name_already_exists")
    if any(one.handle == handle for one in workspace.groups.values()):
        raise RefusedError("handle_already_exists")
    now = world.clock.now()
    group = UserGroup(world.ids.id("S"), workspace.id, name, handle, creator.id, now, now, creator.id, users=list(users))
    workspace.groups[group.id] = group
    events.publish(world, workspace, {"type": "subteam_created", "subteam": group.payload()})
    return group


def conversation(world: World, workspace: Workspace, user: User) -> Channel:
    """Return the direct conversation between our bot and a person, made if need be."""
    known = workspace.direct_with(user.id)
    if known is not None:
        return known
    ours = {workspace.bot.id: None} if workspace.bot else {}
    channel = Channel(world.ids.id("D"), workspace.id, "directmessage", user.id, world.clock.now(), private=True, partner=user.id)
    channel.members = {user.id: None, **ours}
    workspace.channels[channel.id], workspace.directs[user.id] = channel, channel.id
    return channel


def new_link(world: World, workspace: Workspace, creator: User) -> InviteLink:
    """Make a shared invite link, as its creator copies it from the client."""
    now: datetime = world.clock.now()
    link = InviteLink(f"zt-{world.ids.secret(9).lower()}-{world.ids.secret(22)}", workspace.id, creator.id, now + LINK_LIFE)
    workspace.links[link.code] = link
    return link
