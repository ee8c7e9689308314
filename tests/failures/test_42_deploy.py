"""A new version is rolled out while work waits its turn: the next process takes it up."""

from datetime import timedelta

from sandbox.faults import FaultKind
from tests.failures.scene import GOLD, Scene, played


@played
async def test_what_waits_at_the_end_of_one_process_is_done_by_the_next(scene: Scene) -> None:
    scene.goes_wrong("memory", FaultKind.RATE_LIMITED, "grant", times=2, retry_after=30.0)
    await scene.pays()
    await scene.town.bury(scene.town.program)
    assert scene.rows("SELECT DISTINCT status FROM grants") == [("pending",)]

    await scene.town.start()
    scene.town.clock.advance(timedelta(seconds=31))
    await scene.town.settled()

    assert scene.holds() == GOLD
