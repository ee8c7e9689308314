"""A link made for one person, in another's hands: it lets nobody else in."""

from core.errors import Refusal
from tests.failures.scene import Scene, played


@played
async def test_a_link_bound_to_somebody_sells_to_nobody_else(scene: Scene) -> None:
    program = scene.town.program
    made = program.cases.desk.invites.create(
        await scene.community(), "Gold", bound=scene.identity(0), actor="memory:1", cause=scene.cause()
    )
    code = (await program.ask(made)).code

    async def tries(who: int) -> str:
        try:
            await program.ask(program.cases.desk.checkouts.start(code, scene.identity(who), cause=scene.cause()))
        except Refusal as refusal:
            return refusal.code
        return "a checkout"

    assert [await tries(1), await tries(0)] == ["invite_not_yours", "a checkout"]
