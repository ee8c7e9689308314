"""Two processes on one database: whoever lost a lane records nothing on it any more."""

import asyncio

from core.ids import PlatformUserId
from core.platform import Resource
from tests.failures.scene import GOLD, Scene, played
from tests.simulation.program import Program


@played
async def test_a_paused_owner_that_comes_back_records_nothing(scene: Scene) -> None:
    first = scene.town.program
    reached, go_on = asyncio.Event(), asyncio.Event()
    grant = first.adapter.grant

    async def slow(resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        reached.set()
        await go_on.wait()
        await grant(resource, user, reason=reason)

    first.adapter.grant = slow  # type: ignore[method-assign]
    payment = asyncio.get_running_loop().create_task(scene.pays())
    await reached.wait()
    second: Program = await scene.town.start(1)
    await second.settled()
    assert scene.holds() == GOLD
    go_on.set()
    await payment

    assert scene.rows("SELECT what FROM trespasses") == []
    assert scene.rows("SELECT DISTINCT status, actual FROM grants") == [("done", "granted")]
