"""The sandbox's own address: its clock to follow, time to move, faults to inject, people to play."""

import asyncio
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from aiohttp import WSMsgType, web
from pydantic import Field, field_validator, model_validator

from sandbox.asking import Asked, answer, read, refuse
from sandbox.clock import VirtualClock
from sandbox.faults import WEBHOOK_KINDS, Fault, FaultKind
from sandbox.wire import Wire

END_OF_TIME = datetime(2100, 1, 1, tzinfo=UTC)
"""Far enough for every story, and early enough that no date computed from it runs out of calendar."""


class Advance(Asked):
    """How far to move; both parts add up."""

    days: float = Field(default=0, ge=0, le=36_525, allow_inf_nan=False)
    seconds: float = Field(default=0, ge=0, le=36_525 * 86_400, allow_inf_nan=False)

    @property
    def by(self) -> timedelta:
        return timedelta(days=self.days, seconds=self.seconds)


class Trouble(Asked):
    """A fault to put in force; the fields are those of :class:`sandbox.faults.Fault`."""

    service: Literal["discord", "stripe"]
    kind: FaultKind
    route: str = ""
    times: int | None = Field(default=1, ge=1)
    status: int = Field(default=503, ge=500, le=599)
    retry_after: float = Field(default=0.2, ge=0, le=86_400, allow_inf_nan=False)
    seconds: float = Field(default=60.0, ge=0, le=36_525 * 86_400, allow_inf_nan=False)
    copies: int = Field(default=2, ge=2, le=100)

    @field_validator("route")
    @classmethod
    def _searches(cls, route: str) -> str:
        try:
            re.compile(route)
        except re.error as error:
            raise ValueError(f"“route” is no regular expression: {error}.") from error
        return route

    @model_validator(mode="after")
    def _strikes(self) -> Self:
        if self.kind in WEBHOOK_KINDS and self.service != "stripe":
            raise ValueError(f"“{self.kind}” happens to webhooks, and {self.service.title()} sends none.")
        return self


class Control:
    """HTTP and websocket over the clock and the fault plan, and whatever ``more`` routes there are.

    ``GET /clock`` (websocket): a frame ``{"now": ISO 8601}`` at once and after each jump. ``POST /advance {"seconds": n}`` or
    ``{"days": n}``. ``GET /faults``, ``POST /faults {"service", "kind", "route", "times", …}``, ``DELETE /faults``.
    What makes no sense is refused with 400 and ``{"errors": [sentence, …]}``.
    """

    def __init__(self, clock: VirtualClock, wire: Wire, more: Iterable[web.RouteDef] = ()) -> None:
        self._clock = clock
        self._wire = wire
        self._more = more
        self._followers: set[asyncio.Queue[datetime]] = set()
        clock.on_jump(self._jumped)

    def app(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/clock", self._follow),
                web.post("/advance", self._advance),
                web.get("/faults", self._list),
                web.post("/faults", self._add),
                web.delete("/faults", self._clear),
                *self._more,
            ]
        )
        return app

    def _jumped(self, now: datetime) -> None:
        for follower in self._followers:
            follower.put_nowait(now)

    async def _follow(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        jumps: asyncio.Queue[datetime] = asyncio.Queue()
        self._followers.add(jumps)
        try:
            await socket.send_json({"now": self._clock.now().isoformat()})
            async with asyncio.TaskGroup() as group:
                sender = group.create_task(self._send(socket, jumps))
                while (await socket.receive()).type not in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                    pass
                sender.cancel()
        finally:
            self._followers.discard(jumps)
        return socket

    async def _send(self, socket: web.WebSocketResponse, jumps: asyncio.Queue[datetime]) -> None:
        while True:
            await jumps.get()
            await socket.send_json({"now": self._clock.now().isoformat()})

    async def _advance(self, request: web.Request) -> web.Response:
        by, now = read(Advance, await request.read()).by, self._clock.now()
        if not by:
            refuse("Say how far: “days”, “seconds” or both, more than 0.")
        if by > END_OF_TIME - now:
            refuse(f"The sandbox's time ends with the year {END_OF_TIME.year - 1}; it is {now:%Y-%m-%d} now.")
        return answer({"now": self._clock.advance(by).isoformat()})

    async def _list(self, _request: web.Request) -> web.Response:
        rules = [{"service": rule.service, "kind": rule.kind, "route": rule.route, "times": rule.times} for rule in self._wire.faults.rules]
        return answer({"rules": rules, "taken": dict(self._wire.faults.taken)})

    async def _add(self, request: web.Request) -> web.Response:
        fault = self._wire.faults.add(Fault(**read(Trouble, await request.read()).model_dump()))
        return answer({"added": {"service": fault.service, "kind": fault.kind, "route": fault.route}})

    async def _clear(self, _request: web.Request) -> web.Response:
        self._wire.faults.rules.clear()
        return answer({"rules": []})
