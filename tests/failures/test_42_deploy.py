"""A new version is rolled out while work is under way: what was taken in is done by the next process."""

import asyncio

from tests.failures.scene import GOLD, Scene, played


@played
async def test_what_was_taken_in_just_before_the_end_is_done_after_it(scene: Scene) -> None:
    session = await scene.at_the_checkout(0, "Gold")
    assert session is not None
    program = scene.town.program
    scene.charge(session)
    delivered = asyncio.get_running_loop().create_task(scene.town._deliver())
    while not scene.town.accepted:
        await asyncio.sleep(0)
    await scene.town.bury(program)
    await delivered
    assert scene.rows("SELECT count(*) FROM inbox WHERE status = 'pending'")[0][0] > 0

    await scene.again()
    scene.town.clock.advance_to(scene.town.clock.now())
    await scene.minutes(61)

    assert scene.holds() == GOLD
    assert scene.rows("SELECT count(*) FROM inbox WHERE status = 'pending'") == [(0,)]
