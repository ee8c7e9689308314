import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from core.clock import Clock
from sandbox.discord.birth import new_world
from sandbox.discord.gateway import Gateway
from sandbox.discord.pages import Pages
from sandbox.discord.people import People
from sandbox.discord.ratelimits import RateLimits
from sandbox.discord.rest import PREFIX, Rest, fault_answer
from sandbox.discord.tokens import Tokens
from sandbox.wire import Wire, serve, vendor_middleware

Limits = Literal["real", "virtual", "off"]


@dataclass(frozen=True, slots=True)
class Served:
    """Where a served emulator is, and what a client needs to be our app."""

    base_url: str
    bot_token: str
    client_id: str
    client_secret: str

    @property
    def api_url(self) -> str:
        return self.base_url + PREFIX

    @property
    def gateway_url(self) -> str:
        return self.base_url.replace("http://", "ws://") + "/gateway"

    @property
    def authorize_url(self) -> str:
        return self.base_url + "/oauth2/authorize"


class DiscordEmulator:
    """Discord on one's own machine: ``model`` is all there is, ``people`` play in it, ``serve`` puts it on a socket.

    ``limits``: rate limits count on real time, on the sandbox's ``clock`` ("virtual"), or not at all. ``moments`` is real time in
    seconds. ``redirect_uris`` are the ones registered for the app; add more to ``model.app.redirect_uris``.
    """

    def __init__(
        self,
        clock: Clock,
        seed: int = 0,
        wire: Wire | None = None,
        *,
        limits: Limits = "real",
        redirect_uris: Sequence[str] = (),
        app_name: str = "Doorman",
        moments: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wire = wire or Wire()
        self.model = new_world(clock, seed, moments, app_name)
        self.model.app.redirect_uris.extend(redirect_uris)
        self.people = People(self.model)
        seconds = {"real": moments, "virtual": lambda: clock.now().timestamp(), "off": None}[limits]
        self.limits = RateLimits(seconds, lambda: clock.now().timestamp())
        self.rest = Rest(self.model, self.limits)
        self.gateway = Gateway(self.model)

    @property
    def bot_token(self) -> str:
        return self.model.app.token

    @property
    def client_id(self) -> str:
        return str(self.model.app.id)

    @property
    def client_secret(self) -> str:
        return self.model.app.secret

    @property
    def bot_members_intent(self) -> bool:
        """Whether the developer portal has the server members intent switched on."""
        return self.model.app.members_intent

    @bot_members_intent.setter
    def bot_members_intent(self, on: bool) -> None:
        self.model.app.members_intent = on

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[Served]:
        """Serve REST, the gateway and the pages on 127.0.0.1 until the block ends; port 0 is a free one."""
        app = web.Application(middlewares=[vendor_middleware("discord", PREFIX, self.wire, fault_answer)], client_max_size=16 * 2**20)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_routes([*Tokens(self.model).routes(), *Pages(self.model).routes(), *self.rest.routes()])
        app.on_shutdown.append(self._close)
        async with serve(app, port) as base_url:
            served = Served(base_url, self.bot_token, self.client_id, self.client_secret)
            self.gateway.url = self.rest.gateway_url = served.gateway_url
            yield served

    @asynccontextmanager
    async def outage(self, status: int = 503) -> AsyncIterator[None]:
        """Let Discord be down while the block lasts: connections are cut, connecting and every API call fail."""
        fault = self.wire.faults.outage("discord", status)
        self.gateway.refusing = True
        self.gateway.drop_all()
        try:
            yield
        finally:
            self.gateway.refusing = False
            self.wire.faults.lift(fault)

    async def _close(self, _: web.Application) -> None:
        await self.gateway.close_all(1001)
