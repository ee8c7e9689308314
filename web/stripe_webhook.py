"""The processor's deliveries: the raw bytes, once, as they are. What they mean is billing's."""

import logging

from aiohttp import web

from billing.stripe.signature import BadWebhook
from billing.webhook import UnknownEndpoint
from storage.inbox import Busy
from web.keys import WEBHOOKS

_log = logging.getLogger(__name__)


async def receive(request: web.Request) -> web.Response:
    """Answer 200 once the delivery is durable; 400, 404 or 503 (send it again) leave nothing behind."""
    body = await request.read()
    signatures = request.headers.getall("Stripe-Signature", [])
    try:
        await request.app[WEBHOOKS].receive(request.match_info.get("endpoint", ""), body, signatures[0] if len(signatures) == 1 else None)
    except BadWebhook as error:
        _log.warning("webhook refused: %s", error)
        return web.Response(status=400, text="not a signed event of ours\n")
    except UnknownEndpoint:
        return web.Response(status=404, text="no such endpoint\n")
    except (Busy, OSError) as error:
        _log.warning("webhook not stored: %s", type(error).__name__)
        return web.Response(status=503, text="send it again\n", headers={"Retry-After": "5"})
    return web.Response(text="stored\n")
