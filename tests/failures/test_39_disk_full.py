"""The disk is full: no delivery is acknowledged, it is answered with 503, and stored when it comes again."""

import json

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from core.clock import SystemClock
from sandbox.stripe.signature import sign
from tests.failures.scene import Scene, played
from web.keys import WEBHOOKS
from web.stripe_webhook import receive


@played
async def test_a_delivery_that_cannot_be_stored_is_answered_with_503(scene: Scene) -> None:
    with scene.lost():
        await scene.pays()
    body, program = json.dumps(scene.told("invoice.paid")), scene.town.program
    app = web.Application()
    app[WEBHOOKS] = program._webhooks
    signature = sign([scene.town.secret], int(SystemClock().now().timestamp()), body)

    async def answered() -> int:
        request = make_mocked_request("POST", "/webhooks/stripe", {"Stripe-Signature": signature}, app=app)
        request._read_bytes = body.encode()
        return (await receive(request)).status

    scene.town.disk.full = True
    full = await program.ask(answered())
    scene.town.disk.full = False

    assert full == 503
    assert scene.rows("SELECT count(*) FROM inbox WHERE type = 'invoice.paid'") == [(0,)]
    assert await program.ask(answered()) == 200
