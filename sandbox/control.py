"""The sandbox's own address: its clock to follow, time to move, faults to inject."""

import asyncio
from datetime import datetime, timedelta
from typing import TypeVar

from aiohttp import WSMsgType, web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sandbox.clock import VirtualClock
from sandbox.faults import Fault
from sandbox.wire import Wire

T = TypeVar("T")


class Advance(BaseModel):
    """How far to move; both parts add up."""

    model_config = ConfigDict(extra="forbid")
    days: float = Field(default=0, ge=0, allow_inf_nan=False)
    seconds: float = Field(default=0, ge=0, allow_inf_nan=False)


_ADVANCE = TypeAdapter(Advance)
_FAULT = TypeAdapter(Fault)


class Control:
    """HTTP and websocket over the clock and the fault plan.

    ``GET /clock`` (websocket): a frame ``{"now": ISO 8601}`` at once and after each jump. ``POST /advance {"seconds": n}`` or
    ``{"days": n}``. ``GET /faults``, ``POST /faults {"service", "kind", "route", "times", …}``, ``DELETE /faults``.
    """

    def __init__(self, clock: VirtualClock, wire: Wire) -> None:
        self._clock = clock
        self._wire = wire
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
        asked = _read(_ADVANCE, await request.read())
        return web.json_response({"now": self._clock.advance(timedelta(days=asked.days, seconds=asked.seconds)).isoformat()})

    async def _list(self, _request: web.Request) -> web.Response:
        rules = [{"service": rule.service, "kind": rule.kind, "route": rule.route, "times": rule.times} for rule in self._wire.faults.rules]
        return web.json_response({"rules": rules, "taken": dict(self._wire.faults.taken)})

    async def _add(self, request: web.Request) -> web.Response:
        fault = self._wire.faults.add(_read(_FAULT, await request.read()))
        return web.json_response({"added": {"service": fault.service, "kind": fault.kind, "route": fault.route}})

    async def _clear(self, _request: web.Request) -> web.Response:
        self._wire.faults.rules.clear()
        return web.json_response({"rules": []})


def _read(adapter: TypeAdapter[T], body: bytes) -> T:
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
