"""Two processes on one database: whoever lost a lane records nothing on it any more."""

import asyncio

from core.ids import PlatformUserId
from core.platform import Resource
from tests.failures.scene import Scene, played


@played
async def test_a_paused_owner_that_comes_back_records_nothing(scene: Scene) -> None:
    first = scene.town.program
    reached, go_on = asyncio.Event(), asyncio.Event()
    grant = first.adapter.grant

    async def slow(resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        await grant(resource, user, reason=reason)
        reached.set()
        await go_on.wait()

    first.adapter.grant = slow  # type: ignore[method-assign]
    payment = asyncio.get_running_loop().create_task(scene.pays())
    await reached.wait()
    await scene.town.start(1)
    await scene.minutes(1)
    scene.ends(0)
    await scene.minutes(1)
    assert (scene.holds(), scene.rows("SELECT DISTINCT actual FROM grants")) == (set(), [("revoked",)])
    go_on.set()
    await payment
    await scene.town.settled()

    assert scene.rows("SELECT what FROM trespasses") == []
    assert scene.rows("SELECT DISTINCT actual FROM grants") == [("revoked",)]
