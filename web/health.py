"""What whoever runs us may ask: alive, ready, how busy."""

from aiohttp import web

from web.keys import COUNTERS, READY
from web.limits import visitor


async def alive(_request: web.Request) -> web.Response:
    """Answer at all."""
    return web.json_response({"alive": True})


async def ready(request: web.Request) -> web.Response:
    """Answer 200 when every check holds, else 503; either way with each of them."""
    checks = dict(request.app[READY]())
    return web.json_response(checks, status=200 if all(checks.values()) else 503)


async def metrics(request: web.Request) -> web.Response:
    """Return the counts to the machine itself; for anyone else there is nothing here."""
    if visitor(request) is not None:
        raise web.HTTPNotFound
    return web.Response(text=request.app[COUNTERS].text(), content_type="text/plain", headers={"Cache-Control": "no-store"})


async def robots(_request: web.Request) -> web.Response:
    """Ask search engines to stay away: every page here is somebody's."""
    return web.Response(text="User-agent: *\nDisallow: /\n", headers={"Cache-Control": "public, max-age=86400"})
