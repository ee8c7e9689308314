import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
from aiohttp import web

from core.clock import Clock, SystemClock
from sandbox.slack import answers, scim
from sandbox.slack.answers import Answers
from sandbox.slack.birth import new_world
from sandbox.slack.deliveries import Deliveries
from sandbox.slack.manifest import Manifest, read_manifest
from sandbox.slack.pages import Pages
from sandbox.slack.people import People
from sandbox.slack.ratelimits import RateLimits
from sandbox.slack.requests import Requests
from sandbox.slack.rest import PREFIX, Refusal, Rest, fault_answer
from sandbox.slack.signature import signed
from sandbox.slack.sockets import Sockets
from sandbox.wire import Handler, Wire, serve, vendor_middleware

Limits = Literal["real", "virtual", "off"]


@dataclass(frozen=True, slots=True)
class Served:
    """Where a served emulator is, and what a client needs to be our app."""

    base_url: str
    client_id: str
    client_secret: str
    signing_secret: str
    app_token: str

    @property
    def api_url(self) -> str:
        """The base of the Web API, with the trailing slash the SDK wants."""
        return f"{self.base_url}{PREFIX}/"

    @property
    def authorize_url(self) -> str:
        return f"{self.base_url}/oauth/v2/authorize"

    @property
    def openid_url(self) -> str:
        return f"{self.base_url}/openid/connect/authorize"

    @property
    def scim_url(self) -> str:
        return f"{self.base_url}{scim.PREFIX}/v2"


class SlackEmulator:
    """Slack on one's own machine: ``model`` is all there is, ``people`` play in it, ``serve`` puts it on a socket.

    ``limits``: rate limits count on real time, on the sandbox's ``clock`` ("virtual"), or not at all. ``moments`` is real time in
    seconds. ``manifest``: how the app is configured, a Manifest or the document of one; everything is allowed without. Without a
    ``request_url`` everything goes over Socket Mode.
    """

    def __init__(
        self,
        clock: Clock,
        seed: int = 0,
        wire: Wire | None = None,
        *,
        limits: Limits = "real",
        redirect_uris: Sequence[str] = (),
        request_url: str | None = None,
        manifest: Manifest | Mapping[str, Any] | None = None,
        moments: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wire = wire or Wire()
        declared = manifest if isinstance(manifest, Manifest) else read_manifest(manifest) if manifest else Manifest()
        self.model = new_world(clock, seed, moments, declared)
        app = self.model.app
        app.redirect_uris.extend(redirect_uris)
        app.request_url, app.socket_mode = request_url, request_url is None
        self.people = People(self.model)
        seconds = {"real": moments, "virtual": lambda: clock.now().timestamp(), "off": None}[limits]
        self.limits = RateLimits(seconds)
        self.rest = Rest(self.model, self.limits)
        self.sockets = Sockets(self.model)
        self._signing = SystemClock()
        self.deliveries = Deliveries(self.model, self.wire, Requests(app, self._signing), self.sockets)

    @property
    def patience(self) -> float:
        """Real seconds the app has to answer what it is sent: three, unless set."""
        return self.deliveries.requests.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self.deliveries.requests.patience = self.sockets.patience = seconds

    def refuse(self, method: str, error: str, *, times: int = 1, after: bool = False) -> None:
        """Let a method answer ``error`` the next ``times``; ``after``: though it did what was asked."""
        self.rest.refusals.append(Refusal(method, error, times, after))

    async def set_request_url(self, url: str) -> None:
        """Configure where to send everything, as the app's page does: the app must answer the challenge, else ValueError."""
        app = self.model.app
        challenge = self.model.ids.secret(52)
        body = json.dumps({"token": app.verification_token, "challenge": challenge, "type": "url_verification"}).encode()
        headers = {**signed(app.signing_secret, int(self._signing.now().timestamp()), body), "Content-Type": "application/json"}
        async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
            if answer.status != 200 or challenge not in await answer.text():  # noqa: PLR2004 - OK
                raise ValueError(f"{url} did not answer the challenge: {answer.status}")
        app.request_url, app.socket_mode = url, False

    async def check_certificate(self) -> int:
        """Send ``ssl_check``, unsigned, as Slack does now and then to see whether the URL's certificate is good; returns the status."""
        fields = {"ssl_check": "1", "token": self.model.app.verification_token}
        async with aiohttp.ClientSession() as http, http.post(self.model.app.request_url or "", data=fields) as answer:
            return answer.status

    async def settled(self) -> None:
        """Return once nothing is under way to the app: all has arrived, is lost, or waits for the clock to move."""
        await self.deliveries.settled()

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[Served]:
        """Serve API, pages and sockets on 127.0.0.1 until the block ends, and deliver; port 0 is a free one."""
        middlewares = [
            self._closed,
            vendor_middleware("slack", PREFIX, self.wire, fault_answer),
            vendor_middleware("slack", scim.PREFIX, self.wire, fault_answer, keep_prefix=True),
            *(vendor_middleware("slack", one, self.wire, fault_answer, keep_prefix=True) for one in answers.PREFIXES),
        ]
        app = web.Application(middlewares=middlewares, client_max_size=4 * 2**20)
        app.router.add_get("/link/", self.sockets.handle)
        parts = (Pages(self.model), Answers(self.model), scim.Scim(self.model), self.rest)
        app.router.add_routes([route for part in parts for route in part.routes()])
        app.on_shutdown.append(self._close)
        async with self.deliveries, serve(app, port) as base_url:
            self.model.base_url = base_url
            ours = self.model.app
            yield Served(base_url, ours.client_id, ours.client_secret, ours.signing_secret, ours.app_token)

    @asynccontextmanager
    async def outage(self, status: int = 503) -> AsyncIterator[None]:
        """Let Slack be down while the block lasts: connections are cut, connecting and every API call fail."""
        fault = self.wire.faults.outage("slack", status)
        self.sockets.refusing = True
        self.sockets.drop_all()
        try:
            yield
        finally:
            self.sockets.refusing = False
            self.wire.faults.lift(fault)

    @web.middleware
    async def _closed(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let pages and response URLs be down too during an outage; the fault plan sees to the API."""
        if self.sockets.refusing and not request.path.startswith((PREFIX, scim.PREFIX)):
            return web.Response(status=503, text="Slack is down.")
        return await handler(request)

    async def _close(self, _: web.Application) -> None:
        await self.sockets.close_all()
