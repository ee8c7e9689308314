"""A call without an answer: it may have had its effect, so it is made again until there is one."""

from sandbox.faults import FaultKind
from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_grant_without_an_answer_is_made_again_and_only_then_recorded(scene: Scene) -> None:
    scene.goes_wrong("memory", FaultKind.TIMEOUT_AFTER, "grant", times=2)
    await scene.pays()
    assert ("granted",) not in scene.rows("SELECT actual FROM grants")

    await scene.minutes(1)

    assert scene.rows("SELECT DISTINCT status, actual FROM grants") == [("done", "granted")]
    assert scene.holds() == GOLD
