"""Two people use one code at the same time: one of them gets in, the other is told."""

from core.errors import Refusal
from tests.failures.scene import GOLD, Scene, played


@played
async def test_of_two_who_use_one_code_at_once_one_gets_in(scene: Scene) -> None:
    await scene.pays(0)
    program = scene.town.program
    linking, community = program.cases.desk.linking, await scene.community()
    code = await program.ask(linking.offer(community, scene.identity(0), cause=scene.cause()))

    async def uses(number: int) -> bool:
        try:
            await program.ask(linking.redeem(code.code, scene.other(number), cause=scene.cause()))
        except Refusal:
            return False
        return True

    came = [await uses(1), await uses(2)]
    await scene.town.settled()

    assert came == [True, False]
    assert scene.holds() != GOLD
