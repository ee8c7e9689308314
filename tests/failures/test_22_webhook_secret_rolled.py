"""A webhook's secret is being rolled: what is signed with the old one is still ours."""

import json

from billing.stripe.signature import BadWebhook
from billing.webhook import StripeWebhooks
from core.clock import SystemClock
from sandbox.stripe.signature import sign
from storage.inbox import GroupCommit
from tests.failures.scene import Scene, played


@played
async def test_both_secrets_are_accepted_while_there_are_two(scene: Scene) -> None:
    with scene.lost():
        await scene.pays()
    body, program = json.dumps(scene.told("invoice.paid")), scene.town.program
    now = SystemClock().now().timestamp()

    async def receives() -> bool:
        async with GroupCommit(program.base.db) as group:
            webhooks = StripeWebhooks(
                **program.base.tools(), group=group, environment_secrets=["whsec_new", "whsec_old"], unix_now=lambda: now
            )
            try:
                await webhooks.receive("", body.encode(), sign(["whsec_old"], int(now), body))
            except BadWebhook:
                return False
            return True

    assert await program.ask(receives())
