"""Somebody leaves and comes back, and nobody tells us: a look at who is there finds them."""

from sandbox.faults import FaultKind
from tests.failures.scene import GOLD, HOUR, Scene, played


@played
async def test_whoever_comes_back_unseen_is_found_and_let_in(scene: Scene) -> None:
    await scene.pays()
    await scene.leaves(0)
    await scene.town.settled()
    scene.goes_wrong("memory", FaultKind.DROP, "EVENT")
    await scene.joins(0)
    await scene.town.settled()
    assert scene.holds() == set()

    await scene.town.advance(HOUR)

    assert scene.holds() == GOLD
