"""Told to wait: we wait as long as we are told, and it counts as no failure."""

from datetime import timedelta

from sandbox.faults import FaultKind
from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_grant_waits_exactly_as_long_as_it_is_told_to(scene: Scene) -> None:
    scene.goes_wrong("memory", FaultKind.RATE_LIMITED, "grant", times=2, retry_after=40.0)
    await scene.pays()

    scene.town.clock.advance(timedelta(seconds=39))
    await scene.town.settled()
    assert scene.holds() == set()
    scene.town.clock.advance(timedelta(seconds=1))
    await scene.town.settled()

    assert scene.holds() == GOLD
    assert scene.rows("SELECT max(attempts) FROM grants") == [(0,)]
