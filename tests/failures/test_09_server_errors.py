"""A platform that is down for hours: tried ever more seldom, and never given up."""

from datetime import timedelta

from sandbox.faults import FaultKind
from tests.failures.scene import GOLD, HOUR, Scene, played


@played
async def test_an_outage_is_waited_out_with_ever_longer_pauses(scene: Scene) -> None:
    outage = scene.goes_wrong("memory", FaultKind.SERVER_ERROR, times=None)
    await scene.pays()
    for _ in range(12):
        scene.town.clock.advance(timedelta(minutes=30))
        await scene.town.settled()
    assert scene.rows("SELECT DISTINCT status FROM grants") == [("pending",)]
    assert 5 <= scene.rows("SELECT max(attempts) FROM grants")[0][0] <= 30

    scene.town.rules.remove(outage)
    scene.town.clock.advance(HOUR)
    await scene.town.settled()

    assert scene.holds() == GOLD
