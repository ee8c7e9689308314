"""The one way all calls to Slack go: paced where they leave, their refusals made ours."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack import quiet
from adapters.slack.errors import NETWORK_ERRORS, translate, wait_of
from adapters.slack.pacing import MINUTE, Bucket, Pacer
from adapters.slack.settings import Settings
from adapters.slack.tiers import POST_EVERY, a_minute
from core.boundary import assert_outside_transaction
from core.errors import InstallationRevoked, RateLimited, TransientError
from core.platform import Space

REQUEST_SECONDS = 30
QUEUE_SECONDS = 2 * MINUTE
"""How long a call waits for its turn before its caller is told to come back."""
_QUEUE_WAIT = 15.0
_LONGEST_WAIT = 30.0
"""Seconds Slack may tell us to wait and we still try again by ourselves."""
_PAGE = 1000
_TOO_MANY = 429
_POST = "chat.postMessage"
_STALE = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
"""A connection that was kept open and had been closed at the other end: worth a second try at once."""
_OF_ONE_TEAM = ("conversations.list", "users.list", "users.conversations", "usergroups.")
"""Methods that must be told which workspace is meant when the app is in a whole organisation."""
Answer = dict[str, Any]


class Tokens(Protocol):
    """Where the token of a workspace comes from."""

    async def token(self, space: Space) -> str:
        """Return a token that is good now; raises InstallationRevoked when there is none."""
        ...

    async def dead(self, space: Space, why: str) -> None:
        """Forget the token: Slack refuses it with the word ``why``."""
        ...


class PacedClient(AsyncWebClient):
    """The SDK's client with a pace. Its own retry handlers are off: they count nothing, and read the first digit of a Retry-After.

    One more try is made after a 429 with a short wait, and after a stale connection unless that could say something twice.
    """

    def __init__(self, wire: "Wire", team: str, token: str | None) -> None:
        options: dict[str, Any] = {"timeout": REQUEST_SECONDS, "session": wire.session, "logger": quiet.logger, "retry_handlers": []}
        super().__init__(token, base_url=wire.api_url, **options)
        self._wire, self._team = wire, team

    async def api_call(self, api_method: str, *, auth: Any = None, headers: Any = None, **options: Any) -> AsyncSlackResponse:  # noqa: ANN401
        """Write the app's own id and secret as a header ourselves: the SDK does it by a class that aiohttp is about to drop."""
        if auth is not None:
            pair = b64encode(f"{auth['client_id']}:{auth['client_secret']}".encode()).decode()
            headers = {**(headers or {}), "Authorization": f"Basic {pair}"}
        return await super().api_call(api_method, headers=headers, **options)

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> Answer:
        method = api_url.rsplit("/", 1)[-1]
        bucket = (self._team, method)
        tries = 2
        while True:
            tries -= 1
            async with self._turns(bucket, req_args):
                try:
                    answer: Answer = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
                except _STALE:
                    if not tries or method == _POST:
                        raise
                    continue
            if answer["status_code"] != _TOO_MANY:
                return answer
            wait = wait_of(answer["headers"])
            self._wire.pacer.pause(bucket, wait)
            if not tries or wait > _LONGEST_WAIT:
                return answer

    @asynccontextmanager
    async def _turns(self, bucket: Bucket, req_args: Mapping[str, Any]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(QUEUE_SECONDS):
                    for one, most, window in _limits(bucket, req_args):
                        await stack.enter_async_context(self._wire.pacer.turn(one, most, window))
            except TimeoutError as error:
                raise RateLimited("Slack's limits leave no room just now.", retry_after=_QUEUE_WAIT, code="queue") from error
            yield


def _limits(bucket: Bucket, req_args: Mapping[str, Any]) -> Iterator[tuple[Bucket, int, float]]:
    if bucket[1] == _POST:
        sent = req_args.get("data") or req_args.get("json") or {}
        yield (*bucket, str(sent.get("channel"))), 1, POST_EVERY
    yield bucket, a_minute(bucket[1]), MINUTE


class Wire:
    """One session for every token. ``web`` gives the SDK's client for one, ``call`` makes a call and speaks core's errors."""

    def __init__(self, settings: Settings, pacer: Pacer) -> None:
        self.api_url, self.pacer = settings.api_url, pacer
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened on first use."""
        if self._closed:
            raise TransientError("The bot is shutting down.")
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def web(self, token: str | None = None, team: str = "") -> PacedClient:
        """Return a client for ``token`` (or none), whose calls count for workspace ``team``."""
        return PacedClient(self, team, token)

    async def call(self, token: str, team: str, method: str, *, granting: bool = True, **args: object) -> AsyncSlackResponse:
        """Carry out one call; raises ExternalError. What is so already comes back as the answer that says so (``ok`` false)."""
        assert_outside_transaction("a call to Slack")
        try:
            return await self.web(token, team).api_call(method, data=dict(_form(args)))
        except NETWORK_ERRORS as error:
            meaning = translate(error, granting=granting)
            if meaning is None and isinstance(error, SlackApiError) and isinstance(error.response, AsyncSlackResponse):
                return error.response
            raise meaning or TransientError("Slack's answer makes no sense.") from error

    async def close(self) -> None:
        """Close the session for good."""
        self._closed = True
        if self._session is not None:
            await self._session.close()


class Slack:
    """Calls in the name of the app in a workspace."""

    def __init__(self, wire: Wire, tokens: Tokens) -> None:
        self._wire, self._tokens = wire, tokens

    async def call(self, space: Space, method: str, *, granting: bool = True, **args: object) -> Answer:
        """Carry out one call and return its JSON. ``granting`` False: the call takes something away, which words depend on."""
        return data_of(await self.respond(space, method, granting=granting, **args))

    async def respond(self, space: Space, method: str, *, granting: bool = True, **args: object) -> AsyncSlackResponse:
        """Carry out one call and return the answer with its headers. A token that ran out is replaced once."""
        if space.realm != space.external_id and method.startswith(_OF_ONE_TEAM):
            args["team_id"] = space.external_id
        token = await self._tokens.token(space)
        try:
            return await self._wire.call(token, space.external_id, method, granting=granting, **args)
        except InstallationRevoked as error:
            fresh = await self._tokens.token(space) if error.code == "token_expired" else token
            if fresh == token:
                await self._tokens.dead(space, error.code)
                raise
        return await self._wire.call(fresh, space.external_id, method, granting=granting, **args)

    async def pages(self, space: Space, method: str, key: str, **args: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - any argument
        """Yield every item of a list that comes in pages."""
        cursor = ""
        while True:
            answer = await self.call(space, method, limit=_PAGE, cursor=cursor or None, **args)
            for item in answer[key]:
                yield item
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return


def data_of(response: AsyncSlackResponse) -> Answer:
    """Return the JSON of an answer."""
    if not isinstance(response.data, dict):
        raise TransientError("Slack's answer could not be read.", code="not_json")
    return response.data


def _form(args: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Write arguments as a form, which every method takes."""
    for name, value in args.items():
        match value:
            case None:
                continue
            case bool():
                yield name, "true" if value else "false"
            case str() | int():
                yield name, str(value)
            case list() | tuple() | set() | frozenset() if all(isinstance(one, str) for one in value):
                yield name, ",".join(value)
            case _:
                yield name, json.dumps(value)
