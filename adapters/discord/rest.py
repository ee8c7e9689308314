"""The one HTTP client all calls of the bot go through: discord.py's, with its address, its pace and its errors made ours."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route
from yarl import URL

from adapters.discord.breaker import Breaker
from adapters.discord.errors import NETWORK_ERRORS, UNAUTHORIZED, translate
from adapters.discord.pacing import EVERYTHING, Pacer
from adapters.discord.settings import Settings
from core.boundary import assert_outside_transaction
from core.errors import ExternalError, PermanentError, RateLimited, TransientError

CALL_SECONDS = 45.0
"""How long one call may take with all the waiting and trying again that discord.py does inside; more than its longest wait of 30 s."""
_LONGEST_WAIT = 30.0
_QUEUE_WAIT = 10.0
"""What a call that could not even leave is told to wait: its bucket is busy with others."""
_OUR_TOKEN = ("token",)
"""The breaker's scope for all calls: without a token that is accepted none of them can succeed."""
_TOO_MANY = 429
_REASON_LENGTH = 512


@dataclass(slots=True)
class Sending:
    """One call on its way: the bucket it counts in, and whether any of it has left yet."""

    bucket: str = "gateway"
    left: bool = False


class Rest(HTTPClient):
    """discord.py's client for the bot's own calls. It outlives gateway connections: they borrow it, and ``shut`` ends it."""

    def __init__(self, settings: Settings, pacer: Pacer, breaker: Breaker) -> None:
        super().__init__(discord.utils.MISSING, http_trace=self._tracing(), max_ratelimit_timeout=_LONGEST_WAIT)
        self._settings = settings
        self._pacer, self._breaker = pacer, breaker
        self._me: dict[str, Any] | None = None
        self._entering = asyncio.Lock()
        self._shut = False

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        form: Iterable[dict[str, Any]] | None = None,
        params: Mapping[str, str] | None = None,
        reason: str = "",
        **ids: str,
    ) -> Any:  # noqa: ANN401 - whatever the JSON is
        """Carry out one call (logging in before the first) and return its JSON, ``""`` for 204; raises ExternalError."""
        assert_outside_transaction("a call to Discord")
        options: dict[str, Any] = {"json": json} if json is not None else {}
        options |= {"params": params} if params else {}
        self._breaker.check(_OUR_TOKEN)
        sending = Sending()
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self.static_login(self._settings.token.get_secret_value())
                answer = await self.request(Route(method, path, **ids), form=form, reason=fitting(reason), sending=sending, **options)
        except NETWORK_ERRORS as error:
            if isinstance(error, TimeoutError) and not sending.left:
                raise RateLimited("Discord's limits leave no room just now.", retry_after=_QUEUE_WAIT, code="queue") from error
            raise self._meaning(error, path) from error
        self._breaker.succeeded(_OUR_TOKEN)
        return answer

    def _meaning(self, error: Exception, path: str) -> ExternalError:
        meaning = translate(error, path)
        if isinstance(meaning, PermanentError) and meaning.code == UNAUTHORIZED:
            self._breaker.refused(_OUR_TOKEN, meaning)
        return meaning

    async def bot_id(self) -> str:
        """Return the bot's user id, logging in when that has not happened yet."""
        return str((await self._login())["id"])

    async def _login(self) -> Any:  # noqa: ANN401
        try:
            return await self.static_login(self._settings.token.get_secret_value())
        except NETWORK_ERRORS as error:
            raise self._meaning(error, "") from error

    async def static_login(self, token: str) -> Any:  # noqa: ANN401 - discord.py's own type is not exported
        """Open the session and learn who we are: once, however many ask, and again only after a failure."""
        async with self._entering:
            if self._shut:
                raise TransientError("The bot is shutting down.")
            if self._me is None:
                await self._enter(token)
        return self._me

    async def _enter(self, token: str) -> None:
        entered = False
        try:
            self._me = dict(await super().static_login(token))
            entered = True
        finally:
            if not entered:
                await super().close()
                self.connector = discord.utils.MISSING  # closed with its session; discord.py would use it again

    async def request(self, route: Route, *, sending: Sending | None = None, **options: Any) -> Any:  # noqa: ANN401
        """Carry out a call of discord.py's at our address: a route of its own, not the class attribute all clients share."""
        route.url = self._settings.api_url + route.url.removeprefix(Route.BASE)
        sending = sending or Sending()
        sending.bucket = f"{route.key}:{route.major_parameters}"
        return await super().request(route, trace_request_ctx=sending, **options)

    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        """Connect to the gateway, to our own address where discord.py falls back to its default one."""
        wanted = URL(url)
        if self._settings.gateway_url and wanted.host == DiscordWebSocket.DEFAULT_GATEWAY.host:
            wanted = URL(self._settings.gateway_url).with_query(wanted.query)
        return await super().ws_connect(str(wanted), compress=compress)

    async def close(self) -> None:
        """Do nothing: a gateway that ends must not take the calls with it."""

    async def shut(self) -> None:
        """Close for good."""
        async with self._entering:
            self._shut = True
            if self._me is not None:
                await super().close()

    def _tracing(self) -> aiohttp.TraceConfig:
        """Pace each request where it leaves, so that logins and what discord.py repeats by itself are counted too."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._leaves)
        config.on_request_end.append(self._answered)
        config.on_request_exception.append(self._failed)
        return config

    async def _leaves(self, _session: object, context: SimpleNamespace, _params: object) -> None:
        sending: Sending = context.trace_request_ctx or Sending()
        await self._pacer.take(sending.bucket)
        sending.left = True

    async def _answered(self, _session: object, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
        self._pacer.give()
        headers = params.response.headers
        if params.response.status == _TOO_MANY and "Retry-After" in headers:
            everyone = "X-RateLimit-Global" in headers
            self._pacer.pause(EVERYTHING if everyone else context.trace_request_ctx.bucket, float(headers["Retry-After"]))

    async def _failed(self, _session: object, _context: object, _params: object) -> None:
        self._pacer.give()


def fitting(reason: str) -> str:
    """Cut ``reason`` to what an audit log takes: 512 characters, counted as they travel (percent-encoded)."""
    one_line = " ".join(reason.split())
    while len(quote(one_line, safe="/ ")) > _REASON_LENGTH:
        one_line = one_line[:-1]
    return one_line
