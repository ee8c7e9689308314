"""How commands, buttons and forms are told to the app."""

from sandbox.slack import interactions, views
from sandbox.slack.answers import acknowledged
from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload
from sandbox.slack.interactions import ACTIONS, COMMAND, SUBMISSION, Interaction
from sandbox.slack.messages import Message
from sandbox.slack.users import User
from sandbox.slack.views import View
from sandbox.slack.workspaces import Workspace
from sandbox.slack.world import Outbound, World


def command(world: World, workspace: Workspace, user: User, channel: Channel, name: str, text: str) -> Interaction:
    """Send a slash command."""
    one = interactions.start(world, COMMAND, workspace, user, channel=channel)
    fields: Payload = {
        "token": world.app.verification_token,
        "team_id": workspace.id,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": "privategroup" if channel.private and not channel.is_im else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": world.app.id,
        "is_enterprise_install": "false",
        "response_url": interactions.response_url(world, one),
        "trigger_id": one.trigger_id,
    }
    if workspace.enterprise is not None:
        fields |= {"enterprise_id": workspace.enterprise.id, "enterprise_name": workspace.enterprise.name}
    _send(world, one, Outbound("slash_commands", name, fields, lambda failure, body: acknowledged(world, one, failure, body)))
    return one


def press(
    world: World, workspace: Workspace, user: User, seen: Message | View, block: Payload, element: Payload, value: Payload
) -> Interaction:
    """Send a pressed button, or a choice, in a message or a view."""
    where = workspace.channels[seen.channel_id] if isinstance(seen, Message) else None
    source = seen if isinstance(seen, Message) else None
    one = interactions.start(world, ACTIONS, workspace, user, channel=where, source=source)
    body = _shared(world, one)
    if isinstance(seen, View):
        one.view = seen
        body |= {"container": {"type": "view", "view_id": seen.id}, "view": _view(world, workspace, seen)}
    elif where is not None:
        body |= {
            "container": {
                "type": "message",
                "message_ts": seen.ts,
                "channel_id": where.id,
                "is_ephemeral": seen.to is not None,
            },
            "channel": {"id": where.id, "name": where.name},
            "state": {"values": {}},
            **({} if seen.to else {"message": seen.payload()}),
            "response_url": interactions.response_url(world, one),
        }
    action = {"action_id": element["action_id"], "block_id": block["block_id"], "type": element["type"], "action_ts": world.ids.ts()}
    kept = {key: element[key] for key in ("text", "value", "style") if key in element}
    body["actions"] = [action | kept | value]
    _send(world, one, Outbound("interactive", ACTIONS, body, lambda failure, said: acknowledged(world, one, failure, said)))
    return one


def submit(world: World, workspace: Workspace, user: User, view: View, values: Payload) -> Interaction:
    """Send a filled-in form."""
    one = interactions.start(world, SUBMISSION, workspace, user)
    one.view, view.state = view, values
    body = _shared(world, one) | {"view": _view(world, workspace, view), "response_urls": []}
    _send(world, one, Outbound("interactive", SUBMISSION, body, lambda failure, said: _submitted(world, one, view, failure, said)))
    return one


def _submitted(world: World, one: Interaction, view: View, failure: str | None, said: object) -> None:
    acknowledged(world, one, failure, said)
    if failure is not None:
        return
    action = one.result.get("response_action")
    if action == "update":
        views.replace(world, view, views.examine(one.result.get("view"), "modal"))
        one.opened = view
    elif action == "push":
        views.show(world, one, views.examine(one.result.get("view"), "modal"), view)
    elif action == "clear":
        for other in world.views.values():
            other.closed = other.closed or other.root == view.root
    elif action != "errors":
        view.closed = True
    world.changes.notify()


def _shared(world: World, one: Interaction) -> Payload:
    workspace, user = one.workspace, one.user
    enterprise = {"id": workspace.enterprise.id, "name": workspace.enterprise.name} if workspace.enterprise else None
    return {
        "type": one.kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": workspace.id},
        "api_app_id": world.app.id,
        "token": world.app.verification_token,
        "trigger_id": one.trigger_id,
        "team": {"id": workspace.id, "domain": workspace.domain},
        "enterprise": enterprise,
        "is_enterprise_install": False,
    }


def _view(world: World, workspace: Workspace, view: View) -> Payload:
    return view.payload(world.app.id, (workspace.bot.bot_id if workspace.bot else None) or "")


def _send(world: World, one: Interaction, what: Outbound) -> None:
    world.changes.notify()
    if one.workspace.installed:
        world.send(what)
