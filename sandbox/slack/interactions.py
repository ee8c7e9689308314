"""Commands, pressed buttons and sent forms, and what the app answered: https://docs.slack.dev/interactivity/handling-user-interaction."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.messages import Message
from sandbox.slack.users import User
from sandbox.slack.views import View
from sandbox.slack.workspaces import Workspace

if TYPE_CHECKING:
    from sandbox.slack.world import World

TRIGGER_LIFE, URL_LIFE, URL_USES = timedelta(seconds=3), timedelta(minutes=30), 5
COMMAND, ACTIONS, SUBMISSION = "command", "block_actions", "view_submission"


@dataclass(slots=True)
class Interaction:
    """One use of the app by a person. ``said`` is what they saw because of it, ``touched`` that something they looked at changed."""

    kind: str
    workspace: Workspace
    user: User
    trigger_id: str
    secret: str
    created_at: datetime
    action_ts: str
    channel: Channel | None = None
    source: Message | None = None
    view: View | None = None
    triggered: bool = False
    uses: int = 0
    acknowledged: bool = False
    failure: str | None = None
    said: list[Message] = field(default_factory=list)
    opened: View | None = None
    result: Payload = field(default_factory=dict)
    touched: bool = False
    given_up: bool = False

    @property
    def answered(self) -> bool:
        """Whether there is something to see."""
        return bool(self.said or self.opened or self.touched)


def start(
    world: "World", kind: str, workspace: Workspace, user: User, *, channel: Channel | None = None, source: Message | None = None
) -> Interaction:
    """Begin an interaction and give it a trigger and, where there is a channel, a response URL."""
    trigger = f"{world.ids.digits()}.{world.ids.digits()}.{world.ids.hexadecimal()}"
    one = Interaction(kind, workspace, user, trigger, world.ids.secret(), world.clock.now(), world.ids.ts(), channel, source)
    world.triggers[trigger] = one
    world.responses[one.secret] = one
    world.interactions.append(one)
    _forget_old(world)
    return one


def response_url(world: "World", one: Interaction) -> str:
    """Return where the app may answer."""
    where = "commands" if one.kind == COMMAND else "actions"
    return f"{world.base_url}/{where}/{one.workspace.id}/{world.ids.digits()}/{one.secret}"


def use_trigger(world: "World", trigger_id: str) -> Interaction:
    """Return the interaction behind a trigger, once, within three seconds."""
    one = world.triggers.get(trigger_id)
    if one is None:
        raise RefusedError("invalid_trigger_id" if trigger_id else "invalid_arguments")
    if one.triggered:
        raise RefusedError("exchanged_trigger_id")
    if world.clock.now() - one.created_at > TRIGGER_LIFE:
        raise RefusedError("expired_trigger_id")
    one.triggered = True
    return one


def use_response_url(world: "World", secret: str) -> Interaction:
    """Return the interaction behind a response URL: five times, within half an hour."""
    one = world.responses.get(secret)
    if one is None:
        raise RefusedError("invalid_url", status=404)
    if world.clock.now() - one.created_at > URL_LIFE:
        raise RefusedError("expired_url", status=404)
    if one.uses >= URL_USES:
        raise RefusedError("used_url", status=404)
    one.uses += 1
    return one


def waiting(world: "World", team_id: str, user_id: str) -> Interaction | None:
    """Return the oldest interaction that this person still waits for and that shows them nothing yet."""
    mine = (one for one in world.interactions if one.workspace.id == team_id and one.user.id == user_id)
    return next((one for one in mine if not (one.answered or one.given_up or one.failure)), None)


def _forget_old(world: "World") -> None:
    limit = world.clock.now() - 2 * URL_LIFE
    while world.responses and (oldest := next(iter(world.responses.values()))).created_at < limit:
        del world.responses[oldest.secret], world.triggers[oldest.trigger_id]
