"""Everything that comes in, put together: whichever way it comes, it is taken by the same hands."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from adapters.slack.buttons import Buttons
from adapters.slack.client import Slack, Wire
from adapters.slack.dispatch import Dispatcher
from adapters.slack.events import Events
from adapters.slack.home import Home
from adapters.slack.inbound import Reception, Response
from adapters.slack.installations import Installations
from adapters.slack.introduction import Introduction
from adapters.slack.messages import Mail
from adapters.slack.modals import Forms, Groups
from adapters.slack.people import People
from adapters.slack.replies import Answers
from adapters.slack.requests import List, Requests
from adapters.slack.settings import Settings
from adapters.slack.signature import Verifier
from adapters.slack.slash import Slash
from adapters.slack.supervisor import Supervisor, stop
from core.clock import Clock, SystemClock
from core.commands import CommandReply, ReplyHandle
from core.ids import Ids
from core.platform import EventKind, Inbound, Installation, PlatformEvent

log = logging.getLogger(__name__)

CLOSED = 503
LAST_ANSWERS = 4.0
"""Real seconds for requests that came before we closed; Slack gives up on each after three, and sends it again."""


class Desk:
    """Takes requests, signed or over a socket, and answers what was asked. ``groups`` lists a workspace's user
    groups, ``listed`` its channels too.
    """

    def __init__(  # noqa: PLR0913 - it puts together what the adapter is made of
        self,
        settings: Settings,
        wire: Wire,
        slack: Slack,
        installations: Installations,
        people: People,
        mail: Mail,
        listed: List,
        groups: Groups,
        *,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._settings, self._wire, self._clock, self._ids = settings, wire, clock, ids
        self._answers = Answers(wire, slack, mail, clock, settings.command)
        requests = Requests(installations, people, listed, clock)
        forms = Forms(slack, requests, clock, groups)
        events = Events(installations, Home(requests, clock))
        self._dispatcher = Dispatcher(Slash(requests, forms, clock), Buttons(requests, clock), forms, events, self._answers)
        self._introduction = Introduction(slack, installations, clock, ids)
        secret = settings.signing_secret
        verifier = Verifier(secret.get_secret_value(), SystemClock()) if secret is not None else None
        self._reception = Reception(verifier, self._dispatcher)
        self._stack = AsyncExitStack()
        self._supervisor: Supervisor | None = None
        self._inbound: Inbound | None = None
        self._open = self._closed = False
        self._taking: set[asyncio.Task[object]] = set()

    @property
    def connected(self) -> bool:
        """Whether what Slack sends reaches us: with a socket, whether it is up."""
        return self._supervisor.connected if self._supervisor is not None else self._open

    async def start(self, inbound: Inbound) -> None:
        """Begin to take requests in; a socket is kept open in the background."""
        self._inbound = inbound
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._stack.push_async_callback(stop, tasks.create_task(self._introduction.make(inbound)))
        token = self._settings.app_token
        if token is not None:
            self._supervisor = Supervisor(
                self._wire, token.get_secret_value(), lambda body: self._dispatcher.run(body, inbound), self._clock
            )
            self._stack.push_async_callback(stop, tasks.create_task(self._supervisor.run()))
        self._open = True

    async def tell_of(self, others: Sequence[Installation]) -> None:
        """Say that we are in more workspaces than the one that is being answered for."""
        if self._inbound is None:
            return
        for one in others:
            event = PlatformEvent(self._ids.new(), EventKind.SPACE_ADDED, one.space, self._clock.now(), one.installer, one.name)
            await self._inbound.on_event(event)

    async def close(self) -> None:
        """Take nothing in any more; what is being taken in is handed in, or refused, when this returns."""
        self._open, self._closed = False, True
        if self._taking:
            await asyncio.wait(self._taking, timeout=LAST_ANSWERS)
        await self._stack.aclose()

    async def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes, inbound: Inbound) -> Response:
        """Answer a signed request. Once closed none is taken: 503 has Slack send an event again, and tells whoever typed to."""
        task = asyncio.current_task()
        if self._closed or task is None:
            return CLOSED, {}, b""
        self._taking.add(task)
        try:
            return await self._reception.handle(method, path, headers, body, inbound)
        finally:
            self._taking.discard(task)

    async def reply(self, handle: ReplyHandle, answer: CommandReply) -> None:
        """Answer a stored command."""
        await self._answers.reply(handle, answer)
