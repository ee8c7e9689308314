"""Our app in a workspace: put in, taken out, allowed by people."""

from typing import TYPE_CHECKING

from sandbox.slack import events
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.ids import seconds
from sandbox.slack.plans import Role
from sandbox.slack.tokens import Token
from sandbox.slack.users import User
from sandbox.slack.workspaces import Enterprise, Workspace

if TYPE_CHECKING:
    from sandbox.slack.world import World


def may_install(workspace: Workspace, user: User) -> bool:
    """Whether the workspace lets this person add apps."""
    return not user.deleted and not user.is_guest and user.role >= workspace.preferences.install_apps


def install(world: "World", workspace: Workspace, by: User, scopes: frozenset[str]) -> Token:
    """Put the app in, or give it more scopes, and return its bot token."""
    if not may_install(workspace, by):
        raise RefusedError("no_permission")
    app = world.app
    if workspace.bot is None:
        name = app.name.lower().replace(" ", "_")
        bot = User(world.ids.id("U"), workspace.id, name, app.name, Role.MEMBER, world.clock.now())
        bot.bot_id, bot.app_id = world.ids.id("B"), app.id
        workspace.users[bot.id] = workspace.bot = bot
    workspace.bot.deleted = False
    token = world.tokens.issue(workspace.id, workspace.bot.id, scopes, bot=True, rotating=app.token_rotation)
    world.changes.notify()
    return token


def install_everywhere(world: "World", enterprise: Enterprise, by: str, scopes: frozenset[str]) -> Token:
    """Put the app into every workspace of an organisation that ``by``, a user there, runs, with one token for all; one bot user."""
    places = workspaces_run_by(world, enterprise, by)
    if not places:
        raise RefusedError("no_permission")
    for workspace in places:
        install(world, workspace, workspace.users[by], scopes)
    (first, *others) = places
    assert first.bot is not None  # noqa: S101 - it was just put in
    for workspace in others:
        assert workspace.bot is not None  # noqa: S101
        del workspace.users[workspace.bot.id]
        workspace.bot.id, workspace.bot.bot_id = first.bot.id, first.bot.bot_id
        workspace.users[workspace.bot.id] = workspace.bot
    for workspace in places:
        for token in world.tokens.of(workspace.id):
            if token.bot:
                world.tokens.kill(token, "token_revoked")
    return world.tokens.issue(enterprise.id, first.bot.id, scopes, bot=True, rotating=world.app.token_rotation)


def workspaces_run_by(world: "World", enterprise: Enterprise, user_id: str) -> list[Workspace]:
    """Return the workspaces of an organisation in which somebody is an administrator."""
    theirs = (one for one in world.workspaces.values() if one.enterprise is enterprise and user_id in one.users)
    return [one for one in theirs if one.users[user_id].is_admin and not one.users[user_id].deleted]


def allow(world: "World", workspace: Workspace, user: User, scopes: frozenset[str], *, rotating: bool) -> Token:
    """Return a token that acts as the person."""
    return world.tokens.issue(workspace.id, user.id, scopes, bot=False, rotating=rotating)


def uninstall(world: "World", workspace: Workspace) -> None:
    """Take the app out: every token dies, the bot leaves, and the app is told of both."""
    bot = workspace.bot
    if bot is None or bot.deleted:
        raise RefusedError("not_installed")
    tokens = world.tokens.of(workspace.id)
    people = sorted({one.user_id for one in tokens if not one.bot})
    events.publish(world, workspace, {"type": "tokens_revoked", "tokens": {"oauth": people, "bot": [bot.id]}})
    events.publish(world, workspace, {"type": "app_uninstalled"})
    for token in tokens:
        world.tokens.kill(token, "account_inactive" if token.bot else "token_revoked")
    bot.deleted = True
    for channel_id in bot.channels:
        workspace.channels[channel_id].members.pop(bot.id, None)
    bot.channels.clear()
    world.changes.notify()


def revoke(world: "World", workspace: Workspace, token: Token) -> None:
    """Revoke one token, as ``auth.revoke`` or a person does; without a bot token left the app is out."""
    about = {"oauth": [] if token.bot else [token.user_id], "bot": [token.user_id] if token.bot else []}
    events.publish(world, workspace, {"type": "tokens_revoked", "tokens": about})
    if world.tokens.of(workspace.id) == [token]:
        events.publish(world, workspace, {"type": "app_uninstalled"})
    world.tokens.kill(token, "token_revoked")
    if token.bot and workspace.bot is not None and world.tokens.bot_token(workspace.id) is None:
        workspace.bot.deleted = True
    world.changes.notify()


def bot_profile(world: "World", workspace: Workspace) -> Payload:
    """Return what the bot's messages carry of it."""
    bot = workspace.bot
    return {
        "id": bot.bot_id if bot else "",
        "deleted": bot.deleted if bot else True,
        "name": world.app.name,
        "updated": seconds(bot.updated) if bot else 0,
        "app_id": world.app.id,
        "icons": {f"image_{size}": f"https://a.slack-edge.com/bot-{size}.png" for size in (36, 48, 72)},
        "team_id": workspace.id,
    }
