from sandbox.slack import interactions
from sandbox.slack.endpoints.call import Call, Endpoint, when
from sandbox.slack.errors import Payload, RefusedError, invalid_arguments
from sandbox.slack.interactions import Interaction
from sandbox.slack.views import View, examine
from sandbox.slack.world import World

_DEEPEST = 3


def open_modal(call: Call) -> Payload:
    """Open a modal for who just did something."""
    body = examine(call.structure("view"), "modal")
    asked = _trigger(call)
    return _shown(call, show(call.world, asked, body, None))


def push(call: Call) -> Payload:
    """Put a modal on top of the one in front of the person."""
    body = examine(call.structure("view"), "modal")
    asked = _trigger(call)
    if asked.view is None or asked.view.kind != "modal":
        raise RefusedError("not_found")
    return _shown(call, show(call.world, asked, body, asked.view))


def update(call: Call) -> Payload:
    """Put another definition in place of a view."""
    body = call.structure("view")
    view = _find(call)
    when("hash" in call.args and call.text("hash") != view.hash, "hash_conflict")
    replace(call.world, view, examine(body, view.kind))
    return _shown(call, view)


def publish(call: Call) -> Payload:
    """Show somebody their App Home."""
    user = call.workspace.user(call.text("user_id"))
    body = examine(call.structure("view"), "home")
    when(user.deleted, "user_disabled")
    key = (call.workspace.id, user.id)
    home = call.world.homes.get(key)
    if home is None:
        view_id = call.world.ids.id("V")
        home = View(view_id, call.workspace.id, user.id, "home", body, _hash(call.world), view_id, version=-1)
        call.world.homes[key] = call.world.views[view_id] = home
    else:
        when("hash" in call.args and call.text("hash") != home.hash, "hash_conflict")
    replace(call.world, home, body)
    return _shown(call, home)


def show(world: World, asked: Interaction, body: Payload, below: View | None) -> View:
    """Put a modal in front of the person, on top of ``below``."""
    depth, at = 1, below
    while at is not None:
        depth, at = depth + 1, world.views.get(at.previous or "")
    when(depth > _DEEPEST, "push_limit_reached")
    view_id = world.ids.id("V")
    root = below.root if below else view_id
    view = View(view_id, asked.workspace.id, asked.user.id, "modal", body, _hash(world), root, below.id if below else None)
    _name_all(world, view)
    world.views[view_id] = asked.opened = view
    world.changes.notify()
    return view


def replace(world: World, view: View, body: Payload) -> None:
    """Put another definition in a view's place; who did something in it sees that as the answer."""
    view.body, view.hash, view.version = body, _hash(world), view.version + 1
    _name_all(world, view)
    for one in world.interactions:
        if one.view is view:
            one.touched = True
    world.changes.notify()


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


def _hash(world: World) -> str:
    return f"{int(world.clock.now().timestamp())}.{world.ids.secret(8)}"


def _name_all(world: World, view: View) -> None:
    for block in view.blocks:
        block.setdefault("block_id", world.ids.secret(5))
        for one in [*(block.get("elements") or []), block.get("accessory"), block.get("element")]:
            if isinstance(one, dict) and one.get("type") not in {"mrkdwn", "plain_text", "image"}:
                one.setdefault("action_id", world.ids.secret(5))


ROUTES = (
    Endpoint("views.open", "4", open_modal),
    Endpoint("views.push", "4", push),
    Endpoint("views.update", "4", update),
    Endpoint("views.publish", "4", publish),
)
