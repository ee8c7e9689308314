"""Two people use one code for one payment: the first gets in, the other is told."""

from core.errors import Refusal
from core.ids import PlatformUserId
from core.people import GUEST, Identity
from sandbox.stripe.checkout_payment import Typed, pay
from tests.failures.scene import GOLD, Scene, played


@played
async def test_of_two_who_use_one_code_the_first_gets_in(scene: Scene) -> None:
    program, town = scene.town.program, scene.town
    guest = Identity(GUEST, "", PlatformUserId("browser-1"), "A guest")
    await program.ask(program.cases.desk.checkouts.start(town.links["Gold"], guest, cause=scene.cause()))
    pay(town.model.default, scene.asked()[-1], Typed("guest@example.com", "4242424242424242", "Guest"))
    await town.settled()
    linking = program.cases.desk.linking
    code = await program.ask(linking.offer(await scene.community(), guest, cause=scene.cause()))

    async def uses(who: int) -> bool:
        try:
            await program.ask(linking.redeem(code.code, scene.identity(who), cause=scene.cause()))
        except Refusal:
            return False
        return True

    came = [await uses(0), await uses(1)]
    await town.settled()

    assert came == [True, False]
    assert (scene.holds(0), scene.holds(1)) == (GOLD, set())
