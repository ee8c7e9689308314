"""The owner of a space buys like anybody: a role can be given to them too, for it is the role that is compared with the bot's."""

from core.people import Identity
from sandbox.memory.world import NAME
from sandbox.stripe.checkout_payment import Typed, pay
from tests.failures.scene import GOLD, Scene, played


@played
async def test_an_owner_who_pays_holds_what_they_paid_for(scene: Scene) -> None:
    town, program = scene.town, scene.town.program
    owner = Identity(NAME, town.world.realm, town.creator, "Cleo")
    await program.ask(program.cases.desk.checkouts.start(town.links["Gold"], owner, cause=scene.cause()))

    pay(town.model.default, scene.asked()[-1], Typed("cleo@example.com", "4242424242424242", "Cleo"))
    await town.settled()

    assert scene.holds(user=town.creator) == GOLD
