"""A payer without an account here: what they paid for stays theirs until they show one."""

from core.ids import PlatformUserId
from core.people import GUEST, Identity
from sandbox.stripe.checkout_payment import Typed, pay
from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_guests_payment_waits_for_the_account_they_show_later(scene: Scene) -> None:
    program, town = scene.town.program, scene.town
    guest = Identity(GUEST, "", PlatformUserId("browser-1"), "A guest")
    await program.ask(program.cases.desk.checkouts.start(town.links["Gold"], guest, cause=scene.cause()))
    pay(town.model.default, scene.asked()[-1], Typed("guest@example.com", "4242424242424242", "Guest"))
    await town.settled()
    assert scene.rows("SELECT state FROM entitlements") == [("active",)]
    assert scene.rows("SELECT count(*) FROM grants") == [(0,)]

    code = await program.ask(program.cases.desk.linking.offer(await scene.community(), guest, cause=scene.cause()))
    await program.ask(program.cases.desk.linking.redeem(code.code, scene.identity(0), cause=scene.cause()))
    await town.settled()

    assert scene.holds() == GOLD
