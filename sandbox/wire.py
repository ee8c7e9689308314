"""What every emulator's shell shares on the wire: a server on a free port, latency, faults, and the record of each exchange."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.faults import Fault, FaultKind, FaultPlan
from sandbox.record import Exchange, Recorder

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
FaultAnswer = Callable[[Fault], web.Response]
FAULT = web.ResponseKey("fault", bool)
"""Set to True on a response that is wrong on purpose, so that the record says so."""


@dataclass(slots=True)
class Wire:
    """The conditions under which an emulator answers; shared by all of a sandbox, and changed while it runs."""

    faults: FaultPlan = field(default_factory=FaultPlan)
    recorder: Recorder = field(default_factory=Recorder)
    latency: float = 0.0
    """Real seconds each API call takes before it is carried out."""


def vendor_middleware(service: str, prefix: str, wire: Wire, answer: FaultAnswer, *, keep_prefix: bool = False) -> Middleware:
    """Build the middleware for API calls under ``prefix`` (cut off the recorded path, unless ``keep_prefix``).

    Other paths (pages, sockets) pass untouched.
    ``answer`` renders a 429 or 5xx fault as the vendor would. A handler that refuses on purpose, in a way the vendor's own
    description does not know, sets ``response[FAULT] = True`` so that the record says so.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(prefix) or request.headers.get("Upgrade", "").lower() == "websocket":
            return await handler(request)
        await request.read()
        if wire.latency:
            await asyncio.sleep(wire.latency)
        path = request.path if keep_prefix else request.path.removeprefix(prefix)
        fault = wire.faults.take(service, f"{request.method} {path}")
        if fault is not None and fault.kind is FaultKind.TIMEOUT_BEFORE:
            return hang_up(request)
        if fault is not None and fault.kind in {FaultKind.RATE_LIMITED, FaultKind.SERVER_ERROR}:
            response: web.StreamResponse = answer(fault)
            response[FAULT] = True
        else:
            response = await handler(request)
        await _record(service, path, request, response, wire.recorder)
        if fault is not None and fault.kind is FaultKind.TIMEOUT_AFTER:
            return hang_up(request)
        return response

    return middleware


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer: the client sees a broken connection."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def _record(service: str, path: str, request: web.Request, response: web.StreamResponse, recorder: Recorder) -> None:
    body = response.text if isinstance(response, web.Response) else None
    multipart = request.content_type.startswith("multipart")
    recorder.write(
        Exchange(
            service=service,
            method=request.method,
            path=path,
            query=request.query_string,
            request_content_type=request.headers.get("Content-Type", ""),
            request_body=None if multipart else (await request.read()).decode(errors="replace") or None,
            status=response.status,
            response_content_type=response.headers.get("Content-Type", ""),
            response_body=body,
            fault=bool(response.get(FAULT)),
        )
    )


@asynccontextmanager
async def serve(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve ``app`` on 127.0.0.1 (a free port by default) and yield its base URL, without a trailing slash."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        sockname = runner.addresses[0]
        yield f"http://127.0.0.1:{sockname[1]}"
    finally:
        await runner.cleanup()
