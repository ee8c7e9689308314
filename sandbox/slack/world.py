from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from core.clock import Clock
from sandbox.changes import Changes
from sandbox.slack.app import App
from sandbox.slack.channels import Channel
from sandbox.slack.errors import Payload
from sandbox.slack.ids import Ids
from sandbox.slack.interactions import Interaction
from sandbox.slack.messages import Message
from sandbox.slack.oauth import Codes
from sandbox.slack.tokens import Token, Tokens
from sandbox.slack.users import Account
from sandbox.slack.views import View
from sandbox.slack.workspaces import Enterprise, Workspace

HoldKey = tuple[str, str]
"""(channel or user group id, user id)"""


@dataclass(frozen=True, slots=True)
class Outbound:
    """Something on its way to the app. ``answered(failure, body)`` is told how it went, when somebody waits for it.

    ``kind`` is what Socket Mode calls it; ``name`` is the event's type, the command, or the interaction's type.
    """

    kind: Literal["events_api", "slash_commands", "interactive"]
    name: str
    payload: Payload
    answered: Callable[[str | None, object], None] | None = None


def _nowhere(_: Outbound) -> None:
    """Drop what is sent while nobody serves."""


@dataclass(slots=True)
class World:
    """All of the emulated Slack, without any I/O: who and what there is, and one app.

    ``moments`` gives real seconds (monotonic); ``hold_moments`` keeps when each channel or group was last joined (True) or left.
    ``send`` takes what is to reach the app.
    """

    clock: Clock
    ids: Ids
    moments: Callable[[], float]
    app: App
    tokens: Tokens
    codes: Codes
    send: Callable[[Outbound], None] = _nowhere
    base_url: str = "https://slack.com"
    changes: Changes = field(default_factory=Changes)
    accounts: dict[str, Account] = field(default_factory=dict)
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    enterprises: dict[str, Enterprise] = field(default_factory=dict)
    triggers: dict[str, Interaction] = field(default_factory=dict)
    responses: dict[str, Interaction] = field(default_factory=dict)
    interactions: deque[Interaction] = field(default_factory=lambda: deque(maxlen=1000))
    tickets: set[str] = field(default_factory=set)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[tuple[str, str], View] = field(default_factory=dict)
    whispers: list[Message] = field(default_factory=list)
    hold_moments: dict[HoldKey, tuple[bool, float]] = field(default_factory=dict)

    def workspace_of(self, channel: Channel) -> Workspace:
        """Return the workspace a channel belongs to."""
        return self.workspaces[channel.team_id]

    def organisation(self, id_: str) -> Enterprise | None:
        """Return the organisation with that id, or None when it is a workspace's, or nothing's."""
        return next((one for one in self.enterprises.values() if one.id == id_), None)

    def bot_token(self, workspace: Workspace) -> Token | None:
        """Return the live bot token that serves a workspace: its own, or its organisation's."""
        own = self.tokens.bot_token(workspace.id)
        return own or (self.tokens.bot_token(workspace.enterprise.id) if workspace.enterprise else None)

    def link(self, code: str) -> tuple[Workspace, str] | None:
        """Return the workspace a shared invite link leads to, with the link's code, or None when there is no such link."""
        for one in self.workspaces.values():
            if code in one.links:
                return one, code
        return None

    def note_hold(self, where: str, user_id: str, *, held: bool) -> None:
        """Remember the moment somebody came into a channel or group (``held``) or went."""
        self.hold_moments[where, user_id] = (held, self.moments())

    async def when(self, condition: Callable[[], object], within: float | None = 10.0) -> None:
        """Return once ``condition()`` is true, looked at after each change; TimeoutError after ``within`` real seconds."""
        await self.changes.when(condition, within)
