from sandbox.slack import interactions, views
from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.errors import Payload, RefusedError, invalid_arguments
from sandbox.slack.interactions import Interaction
from sandbox.slack.views import View


def open_modal(call: Call) -> Payload:
    """Open a modal for who just did something."""
    body = views.examine(call.structure("view"), "modal")
    asked = _trigger(call)
    return _shown(call, views.show(call.world, asked, body, None))


def push(call: Call) -> Payload:
    """Put a modal on top of the one in front of the person."""
    body = views.examine(call.structure("view"), "modal")
    asked = _trigger(call)
    if asked.view is None or asked.view.kind != "modal":
        raise RefusedError("not_found")
    return _shown(call, views.show(call.world, asked, body, asked.view))


def update(call: Call) -> Payload:
    """Put another definition in place of a view."""
    body = call.structure("view")
    view = _find(call)
    when("hash" in call.args and call.text("hash") != view.hash, "hash_conflict")
    views.replace(call.world, view, views.examine(body, view.kind))
    return _shown(call, view)


def publish(call: Call) -> Payload:
    """Show somebody their App Home."""
    user = call.workspace.user(call.text("user_id"))
    body = views.examine(call.structure("view"), "home")
    when(user.deleted, "user_disabled")
    key = (call.workspace.id, user.id)
    home = call.world.homes.get(key)
    when(home and "hash" in call.args and call.text("hash") != home.hash, "hash_conflict")
    if home is None:
        call.world.homes[key] = home = views.new_home(call.world, call.workspace.id, user.id, body)
    views.replace(call.world, home, body)
    return _shown(call, home)


def _trigger(call: Call) -> Interaction:
    asked = interactions.use_trigger(call.world, call.text("trigger_id"))
    when(asked.workspace.id != call.workspace.id, "invalid_trigger_id")
    return asked


def _find(call: Call) -> View:
    named = call.text("view_id", "")
    external = call.text("external_id", "")
    if not named and not external:
        raise invalid_arguments("missing required field: view_id")
    for one in call.world.views.values():
        if one.team_id == call.workspace.id and (one.id == named or (external and one.body.get("external_id") == external)):
            when(one.closed, "not_found")
            return one
    raise RefusedError("not_found")


def _shown(call: Call, view: View) -> Payload:
    bot = call.workspace.bot
    return {"view": view.payload(call.world.app.id, (bot.bot_id if bot else None) or "")}


ROUTES = (
    Endpoint("views.open", "4", open_modal),
    Endpoint("views.push", "4", push),
    Endpoint("views.update", "4", update),
    Endpoint("views.publish", "4", publish),
)
