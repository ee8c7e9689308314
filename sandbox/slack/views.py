"""Modals and App Home: https://docs.slack.dev/surfaces/modals."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.slack import blocks
from sandbox.slack.errors import Payload, RefusedError, invalid_arguments

if TYPE_CHECKING:
    from sandbox.slack.interactions import Interaction
    from sandbox.slack.world import World

LARGEST = 250_000
"""Bytes of JSON."""
DEEPEST = 3
"""Modals on top of each other."""


@dataclass(slots=True)
class View:
    """A modal, or the home of one person. ``stack`` names the modal it was opened from."""

    id: str
    team_id: str
    user_id: str
    kind: str
    body: Payload
    hash: str
    root: str
    previous: str | None = None
    version: int = 0
    closed: bool = False
    state: Payload = field(default_factory=dict)

    @property
    def blocks(self) -> list[Payload]:
        found: list[Payload] = self.body["blocks"]
        return found

    def payload(self, app_id: str, bot_id: str) -> Payload:
        """Return the view object."""
        kept = {
            key: self.body.get(key)
            for key in ("title", "close", "submit", "blocks", "private_metadata", "callback_id", "external_id")
            if self.kind == "modal" or key in {"blocks", "private_metadata", "callback_id", "external_id"}
        }
        for key in ("private_metadata", "callback_id", "external_id"):
            kept[key] = kept[key] or ""
        return kept | {
            "id": self.id,
            "team_id": self.team_id,
            "app_id": app_id,
            "app_installed_team_id": self.team_id,
            "bot_id": bot_id,
            "type": self.kind,
            "state": {"values": self.state},
            "hash": self.hash,
            "clear_on_close": bool(self.body.get("clear_on_close")),
            "notify_on_close": bool(self.body.get("notify_on_close")),
            "root_view_id": self.root,
            "previous_view_id": self.previous,
        }


def examine(body: object, kind: str) -> Payload:
    """Return a view's definition if it is sound; refuses as Slack does."""
    if not isinstance(body, dict):
        raise invalid_arguments("failed to match all allowed schemas [json-pointer:/view]")
    if len(json.dumps(body).encode()) > LARGEST:
        raise RefusedError("view_too_large")
    if body.get("type") != kind:
        raise invalid_arguments(f"must be of type {kind} [json-pointer:/view/type]")
    if not isinstance(body.get("blocks"), list):
        raise invalid_arguments("missing required field: blocks [json-pointer:/view]")
    problems = [f"{one} [json-pointer:/view/blocks]" for one in blocks.problems(body["blocks"])]
    title = body.get("title")
    if kind == "modal" and (not isinstance(title, dict) or not 0 < len(str(title.get("text", ""))) < blocks.TITLE):
        problems.append("must have a title of at most 24 characters [json-pointer:/view/title]")
    if kind == "modal" and any(one.get("type") == "input" for one in body["blocks"]) and not body.get("submit"):
        problems.append("must define `submit` to use an `input` block in modals [json-pointer:/view]")
    if problems:
        raise invalid_arguments(*problems)
    return body


def new_home(world: "World", team_id: str, user_id: str, body: Payload) -> View:
    """Make somebody's App Home, published no time yet."""
    view_id = world.ids.id("V")
    world.views[view_id] = View(view_id, team_id, user_id, "home", body, "", view_id, version=-1)
    return world.views[view_id]


def show(world: "World", asked: "Interaction", body: Payload, below: View | None) -> View:
    """Put a modal in front of the person, on top of ``below``."""
    depth, at = 1, below
    while at is not None:
        depth, at = depth + 1, world.views.get(at.previous or "")
    if depth > DEEPEST:
        raise RefusedError("push_limit_reached")
    external = body.get("external_id")
    if external and any(one.team_id == asked.workspace.id and one.body.get("external_id") == external for one in world.views.values()):
        raise RefusedError("duplicate_external_id")
    view_id = world.ids.id("V")
    root = below.root if below else view_id
    view = View(view_id, asked.workspace.id, asked.user.id, "modal", body, _hash(world), root, below.id if below else None)
    blocks.name_all(world.ids, view.blocks)
    world.views[view_id] = asked.opened = view
    world.changes.notify()
    return view


def replace(world: "World", view: View, body: Payload) -> None:
    """Put another definition in a view's place; who did something in it sees that as the answer."""
    view.body, view.hash, view.version = body, _hash(world), view.version + 1
    blocks.name_all(world.ids, view.blocks)
    for one in world.interactions:
        if one.view is view:
            one.touched = True
    world.changes.notify()


def _hash(world: "World") -> str:
    return f"{int(world.clock.now().timestamp())}.{world.ids.secret(8)}"
