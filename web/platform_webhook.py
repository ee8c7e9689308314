"""Requests a platform sends us, handed to its adapter as they are: it alone knows how they are signed."""

from aiohttp import web

from core.platform import HttpInbound
from web.keys import INBOUND


def mount(app: web.Application, name: str, adapter: HttpInbound) -> None:
    """Give the adapter everything under ``/{name}/``."""

    async def handle(request: web.Request) -> web.Response:
        path = "/" + request.match_info["path"]
        status, headers, body = await adapter.handle(request.method, path, request.headers, await request.read(), request.app[INBOUND])
        return web.Response(status=status, headers=headers, body=body)

    app.router.add_route("*", f"/{name}/{{path:.*}}", handle)
