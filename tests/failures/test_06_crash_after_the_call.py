"""The process ends after a call had its effect, and before it wrote that down: doing it again does nothing more."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_what_was_done_and_not_recorded_is_done_again_to_the_same_end(scene: Scene) -> None:
    await scene.dies("after stripe POST /v1/checkout/sessions")
    await scene.pays()
    await scene.again()
    await scene.dies("after memory grant")
    await scene.pays()
    await scene.again()

    assert scene.holds() == GOLD
    assert len(scene.asked()) == 1
    assert len(scene.charges(0)) == 1
    assert scene.rows("SELECT DISTINCT status, actual FROM grants") == [("done", "granted")]
