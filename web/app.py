"""The web application: routes and what is around them."""

from typing import Final

from aiohttp import web

from core.platform import HttpInbound, Installing
from web import checkout, gift, guest, health, install, invite, link, oauth, pages, platform_webhook, stripe_webhook, welcome
from web.headers import secure
from web.keys import ASSETS, Services, provide
from web.middleware import explain, observe, pace, spelled

BODY_LIMIT: Final = 1024 * 1024
"""Bytes; the largest delivery we take."""


def create_runner(services: Services, *, grace: float) -> web.AppRunner:
    """Build what serves the application; ``grace`` is in real seconds, for requests that are being answered when it closes.

    Bodies are taken as they come: signatures are over them, and a compressed one that cannot be unpacked would be the server's error.
    """
    return web.AppRunner(create_app(services), access_log=None, shutdown_timeout=grace, auto_decompress=False)


def create_app(services: Services) -> web.Application:
    """Build the application. It owns nothing: whoever built the services closes them."""
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[observe, explain, pace, spelled])
    provide(app, services)
    pages.set_up(app)
    app.on_response_prepare.append(secure)
    app.router.add_routes(
        [
            web.get("/j/{code}", invite.show),
            web.post("/j/{code}/continue", oauth.leave),
            web.post("/j/{code}/continue/{platform}", oauth.leave),
            web.post("/j/{code}/guest", guest.become),
            web.post("/j/{code}/checkout", checkout.pay),
            web.post("/j/{code}/wait", checkout.wait),
            web.post("/j/{code}/portal", checkout.manage),
            web.get("/oauth/{platform}/callback", oauth.come_back),
            web.get("/welcome/{order}", welcome.show),
            web.post("/welcome/{order}/continue/{platform}", guest.leave),
            web.post("/welcome/{order}/claim", guest.claim),
            web.get("/link/{code}", link.show),
            web.post("/link/{code}/continue/{platform}", link.leave),
            web.get("/linked", link.done),
            web.get("/gift/{code}", gift.show),
            web.post("/gift/{code}/continue/{platform}", gift.leave),
            web.get("/given/{gift}", gift.given),
            web.get("/tip/{tip}", welcome.thank),
            web.post("/webhooks/stripe", stripe_webhook.receive),
            web.post("/webhooks/stripe/{endpoint}", stripe_webhook.receive),
            web.get("/healthz", health.alive),
            web.get("/readyz", health.ready),
            web.get("/metrics", health.metrics),
            web.get("/robots.txt", health.robots),
            web.get("/static/{version}/{name}", _static),
        ]
    )
    for name, adapter in services.adapters.items():
        if isinstance(adapter, Installing):
            app.router.add_get(install.install_path(name), install.leave, allow_head=False)
            app.router.add_get(install.callback_path(name), install.come_back, allow_head=False)
        if isinstance(adapter, HttpInbound):
            platform_webhook.mount(app, name, adapter)
    return app


async def _static(request: web.Request) -> web.Response:
    return request.app[ASSETS].respond(request.match_info["name"])
