"""The process ends after a call had its effect, and before it wrote that down: doing it again does nothing more."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_role_given_and_not_recorded_is_given_again_and_recorded(scene: Scene) -> None:
    await scene.dies("after memory grant")
    await scene.pays()

    await scene.again()
    await scene.pays()  # a key forgotten would open a second checkout here

    assert scene.holds() == GOLD
    assert scene.rows("SELECT DISTINCT status, actual FROM grants") == [("done", "granted")]


@played
async def test_a_checkout_opened_and_not_recorded_is_found_again(scene: Scene) -> None:
    await scene.dies("after stripe POST /v1/checkout/sessions")
    await scene.pays()
    await scene.again()

    await scene.pays()

    assert scene.holds() == GOLD
    assert len(scene.asked()) == 1
