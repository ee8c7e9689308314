"""Requests over a socket we open, for machines Slack cannot reach: https://docs.slack.dev/apis/events-api/using-socket-mode."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import quiet
from adapters.slack.dispatch import Answered

log = logging.getLogger(__name__)

PING_SECONDS = 5.0
_CONNECTING = 10.0
_ANSWERING = 3.0
_POLITE = frozenset({"warning", "refresh_requested"})
"""Why Slack ends a connection now and then; any other reason is trouble."""
Take = Callable[[dict[str, object]], Awaitable[Answered]]


class Line(SocketModeClient):
    """One connection, used once. The SDK's own way of reconnecting closes it first and gives up silently; here its end is only told.

    ``ended`` is set when it has to be replaced: Slack asked for it, it was closed, or nothing is heard any more.
    """

    def __init__(self, web: AsyncWebClient, url: str, take: Take, tasks: asyncio.TaskGroup, *, ping: float = PING_SECONDS) -> None:
        super().__init__("", logger=quiet.logger, web_client=web, ping_interval=ping)
        self.wss_uri = url
        self._take, self._tasks = take, tasks
        self._greeted, self.ended = asyncio.Event(), asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()
        self.asked = False
        """Whether Slack itself asked for another connection, with this one still good."""

    @property
    def up(self) -> bool:
        """Whether requests flow."""
        return self._greeted.is_set() and not self.ended.is_set() and not self.closed

    async def open(self) -> None:
        """Connect and wait for Slack's greeting; TimeoutError or aiohttp's errors when that fails."""
        async with asyncio.timeout(_CONNECTING):
            await self.connect()  # type: ignore[no-untyped-call]
            greeted, ended = (self._tasks.create_task(one.wait()) for one in (self._greeted, self.ended))
            try:
                await asyncio.wait([greeted, ended], return_when=asyncio.FIRST_COMPLETED)
            finally:
                greeted.cancel()
                ended.cancel()
        if not self.up:
            raise aiohttp.ClientConnectionError("closed before the greeting")

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - the SDK's own
        del force
        self.ended.set()

    async def enqueue_message(self, message: str) -> None:
        """Take a message as it comes. The SDK would run its listeners in tasks that nobody holds."""
        said = json.loads(message) if message.startswith("{") else {}
        match said.get("type"):
            case "hello":
                self._greeted.set()
            case "disconnect":
                self.asked = said.get("reason") in _POLITE
                self.ended.set()
            case _:
                request = SocketModeRequest.from_dict(said)
                if request is not None:
                    task = self._tasks.create_task(self._answer(request))
                    self._answering.add(task)
                    task.add_done_callback(self._answering.discard)

    async def _answer(self, request: SocketModeRequest) -> None:
        """Acknowledge what was stored; what was not is sent again, or the person is told."""
        answered = await self._take(request.payload)
        if not answered.settled:
            return
        try:
            await self.send_socket_mode_response(SocketModeResponse(request.envelope_id, dict(answered.body) if answered.body else None))
        except (ConnectionError, aiohttp.ClientError):
            log.info("a socket closed before its request was acknowledged; Slack sends it again")

    async def shut(self) -> None:
        """Close it once what it took is answered, and see its tasks end."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=_ANSWERING)
        self.closed = True
        running = [task for task in (self.message_processor, self.current_session_monitor, self.message_receiver) if task is not None]
        await self.close()  # type: ignore[no-untyped-call]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
