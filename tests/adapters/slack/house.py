"""Our adapter behind a request URL, as the product mounts it, in a workspace it was installed in from Slack's page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web

from adapters.slack import Settings, SlackAdapter, build
from adapters.slack.manifest import manifest
from core.clock import SystemClock
from core.commands import Audience, CommandKind, CommandReply, CommandRequest, CommandSpec, Option, OptionKind
from core.credentials import Credentials
from core.ids import PlatformUserId, RandomIds
from core.platform import EventKind, HttpInbound, Installation, PlatformEvent, Space
from sandbox.clock import VirtualClock
from sandbox.slack import Plan, SlackEmulator
from sandbox.slack.person import Person
from sandbox.slack.replies import Reply
from sandbox.slack.signature import signed
from sandbox.wire import serve
from tests.adapters.contract import COMMANDS
from tests.adapters.recorded import RecordedInbound
from web.keys import INBOUND
from web.platform_webhook import mount

REDIRECT = "http://127.0.0.1:9/slack/oauth_redirect"
TABLE = (
    *(spec for spec in COMMANDS if spec.words != ("tip",)),
    CommandSpec(
        ("tip",),
        "Say thanks",
        (
            Option("amount", "Like 5 USD", required=True, highest=30),
            Option("message", "A few words", highest=280),
            Option("anonymous", "Nameless", OptionKind.BOOLEAN),
        ),
        private=False,
    ),
    CommandSpec(("doorman", "home"), "Your membership at a glance", kind=CommandKind.HOME),
    CommandSpec(
        ("paint",),
        "Choose",
        (Option("colour", "Which", choices=("Red", "Blue"), required=True), Option("days", "How long", OptionKind.INTEGER, highest=9)),
    ),
    CommandSpec(("secret",), "For the few", (Option("word", "Which", required=True),), Audience.CREATOR),
)  # fmt: skip


class Inbox(RecordedInbound):
    """Keeps what comes in, and can fail at either. With a ``gate``, events wait at it."""

    def __init__(self, commands: Sequence[CommandSpec] = TABLE) -> None:
        super().__init__(commands)
        self.failures = 0
        self.gate: asyncio.Event | None = None
        self.waiting = False

    async def on_command(self, request: CommandRequest) -> None:
        self._fail()
        await super().on_command(request)

    async def on_event(self, event: PlatformEvent) -> None:
        self._fail()
        if self.gate is not None:
            self.waiting = True
            await self.gate.wait()
        await super().on_event(event)

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the disk is full")


class House:
    """The club is Ann's workspace, and Bob is in it. Requests are signed and go to ``url``, or over a socket."""

    adapter: SlackAdapter
    url: str
    installation: Installation

    def __init__(self, clock: VirtualClock, credentials: Credentials | None, *, socket: bool = False) -> None:
        self.clock, self.credentials, self.socket = clock, credentials, socket
        document = manifest(TABLE, command="/doorman", url="http://127.0.0.1:9", socket=socket)
        self.emulator = SlackEmulator(clock, limits="off", redirect_uris=[REDIRECT], manifest=document)
        make = self.emulator.people
        self.ann, self.bob = make.person("ann"), make.person("bob")
        self.club = make.workspace(self.ann, "Club", Plan.PRO)
        make.join(self.bob, self.club)
        self.inbox = Inbox()

    @property
    def space(self) -> Space:
        return self.installation.space

    @asynccontextmanager
    async def open(self, *, installed: bool = True) -> AsyncIterator["House"]:
        """Serve the emulator and the adapter, started; ``installed``: through Slack's page, by Ann."""
        async with self.emulator.serve() as self.served:
            self.adapter = build(self.settings(), clock=self.clock, ids=RandomIds(), credentials=self.credentials)
            try:
                if installed:
                    await self.install()
                await self.adapter.start(self.inbox)
                async with self._reachable():
                    yield self
            finally:
                await self.adapter.close()

    def settings(self, **more: str) -> Settings:
        way = {"app_token": self.served.app_token} if self.socket else {"signing_secret": self.served.signing_secret}
        return Settings.model_validate({
            "client_id": self.served.client_id,
            "client_secret": self.served.client_secret,
            "api_url": self.served.api_url,
            **way,
            **more,
        })  # fmt: skip

    async def install(self) -> None:
        """Let Ann install the app from its page."""
        code = await self.code(self.ann, self.adapter.install_url("state", REDIRECT))
        self.installation = await self.adapter.install(code, REDIRECT)

    async def code(self, who: Person, url: str) -> str:
        return parse_qs(urlsplit(await who.authorize(url, self.club)).query)["code"][0]

    @asynccontextmanager
    async def _reachable(self) -> AsyncIterator[None]:
        if self.socket:
            await self.until(lambda: self.adapter.connected)
            yield
            return
        app = web.Application()
        app[INBOUND] = self.inbox
        assert isinstance(self.adapter, HttpInbound)
        mount(app, "slack", self.adapter)
        async with serve(app) as base:
            self.url = f"{base}/slack/events"
            await self.emulator.set_request_url(self.url)
            yield

    async def until(self, reached: Callable[[], object]) -> None:
        """Wait (a bounded time) until the world, or our side of it, is so."""
        async with asyncio.timeout(10.0):
            while not reached():  # noqa: ASYNC110 - our side tells nobody when it changes
                await asyncio.sleep(0.005)

    async def post(
        self, body: bytes, headers: dict[str, str] | None = None, *, at: int | None = None, kind: str = "application/json"
    ) -> int:
        """Post ``body`` to the request URL, signed (``at`` a moment) unless ``headers`` are given; returns the status."""
        moment = int(SystemClock().now().timestamp()) if at is None else at
        given = dict(signed(self.served.signing_secret, moment, body)) if headers is None else headers
        async with aiohttp.ClientSession() as http, http.post(self.url, data=body, headers={"Content-Type": kind, **given}) as answer:
            return answer.status

    async def say(self, person: Person, typed: str, title: str = "Done") -> tuple[CommandRequest, Reply]:
        """Let somebody type ``typed``; returns what came in and what they saw, answered with ``title``."""
        before = len(self.inbox.requests)
        return await self.answer(lambda: person.command(self.club, typed), before, title)

    async def answer(self, deed: Callable[[], Any], before: int, title: str) -> tuple[CommandRequest, Any]:
        async with asyncio.TaskGroup() as tasks:
            done = tasks.create_task(deed())
            await self.inbox.until(lambda: len(self.inbox.requests) > before)
            await self.adapter.reply(self.inbox.requests[-1].handle, CommandReply(title, ()))
        return self.inbox.requests[-1], done.result()

    def user(self, person: Person) -> PlatformUserId:
        return PlatformUserId(person.id(self.club))

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.inbox.events]
