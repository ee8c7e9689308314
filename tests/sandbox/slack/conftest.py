import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import VirtualClock
from sandbox.record import Recorder
from sandbox.slack import Served, SlackEmulator
from sandbox.slack.channels import Channel
from sandbox.slack.people import Person
from sandbox.slack.workspaces import Workspace
from sandbox.wire import Wire, serve
from tests.sandbox.judging import shared_record

REDIRECT = "http://127.0.0.1:9/slack/oauth_redirect"


@dataclass(slots=True)
class Rig:
    """An emulator on a socket with one creator, ann, her workspace with our app in it, and bo, a member."""

    clock: VirtualClock
    slack: SlackEmulator
    served: Served
    ann: Person
    bo: Person
    acme: Workspace
    gold: Channel
    """A private channel with ann and our app."""
    token: str


@dataclass(slots=True)
class Request:
    """What arrived at the app's request URL; ``fields`` is the JSON body or the form, its ``payload`` read."""

    headers: dict[str, str]
    body: bytes
    fields: dict[str, Any]


Answer = Callable[[Request], web.Response | Awaitable[web.Response]]


@dataclass(slots=True)
class Listener:
    """An app's HTTP side. ``answer`` says what it does; ``heard`` keeps what came, every signature checked by the SDK."""

    url: str
    answer: Answer
    heard: list[Request] = field(default_factory=list)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [one.fields for one in self.heard if one.fields.get("event", {}).get("type") == kind]


Take = Callable[[SocketModeRequest], Awaitable[None]]
Connect = Callable[..., Awaitable[SocketModeClient]]


async def error_of(call: Awaitable[object]) -> str:
    """Return the word the API refuses the call with."""
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


def fine(_: Request) -> web.Response:
    return web.Response()


@pytest.fixture(scope="session")
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where every exchange of these tests is written, to be held at the end against the vendor's own description."""
    with shared_record(request, tmp_path_factory, "slack") as path:
        yield path


@pytest.fixture
async def rig(record: Path) -> AsyncIterator[Rig]:
    clock, recorder = VirtualClock(), Recorder(record)
    slack = SlackEmulator(clock, seed=7, wire=Wire(recorder=recorder), limits="off", redirect_uris=[REDIRECT])
    ann, bo = slack.people.person("ann"), slack.people.person("bo")
    acme = slack.people.workspace(ann, "Acme")
    slack.people.join(bo, acme)
    token = slack.people.install(acme)
    gold = ann.create_channel(acme, "gold", private=True)
    ann.add_app(gold)
    async with slack.serve() as served:
        yield Rig(clock, slack, served, ann, bo, acme, gold, token)
    recorder.close()


@pytest.fixture
async def client(rig: Rig) -> AsyncWebClient:
    """The SDK's client as our bot."""
    return AsyncWebClient(rig.token, base_url=rig.served.api_url, retry_handlers=[])


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def listener(rig: Rig) -> AsyncIterator[Listener]:
    """An app at a request URL that answers 200 to everything until told otherwise."""
    verifier = SignatureVerifier(rig.served.signing_secret)

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        assert verifier.is_valid_request(body, dict(request.headers))
        sent = Request(dict(request.headers), body, _fields(request, body))
        if sent.fields.get("type") == "url_verification":
            return web.Response(text=sent.fields["challenge"])
        made.heard.append(sent)
        answer = made.answer(sent)
        return answer if isinstance(answer, web.Response) else await answer

    app = web.Application()
    app.router.add_post("/slack/events", take)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(app))
        made = Listener(f"{url}/slack/events", fine)
        await rig.slack.set_request_url(made.url)
        yield made


@pytest.fixture
async def connect(rig: Rig) -> AsyncIterator[Connect]:
    """Connect the SDK's Socket Mode client, with what to do about each request once it is acknowledged."""
    async with AsyncExitStack() as stack:

        async def make(take: Take | None = None, *, acknowledge: bool = True) -> SocketModeClient:
            socket = SocketModeClient(rig.served.app_token, web_client=AsyncWebClient(base_url=rig.served.api_url))

            async def heard(_: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
                if acknowledge:
                    await socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
                if take is not None:
                    await take(request)

            socket.socket_mode_request_listeners.append(heard)
            before = rig.slack.sockets.connected
            await socket.connect()  # type: ignore[no-untyped-call]
            stack.push_async_callback(socket.close)
            await rig.slack.model.when(lambda: rig.slack.sockets.connected > before)
            return socket

        yield make


def _fields(request: web.Request, body: bytes) -> dict[str, Any]:
    if request.content_type == "application/json":
        found: dict[str, Any] = json.loads(body)
        return found
    form = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    return json.loads(form["payload"]) if "payload" in form else form
