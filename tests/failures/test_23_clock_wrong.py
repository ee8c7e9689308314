"""A machine whose clock is an hour off ends nothing by it: it says so, and waits."""

from datetime import timedelta

from tests.failures.scene import GOLD, Scene, played


@played
async def test_with_a_wrong_clock_nothing_unheard_of_ends_and_somebody_is_told(scene: Scene) -> None:
    await scene.pays()
    with scene.lost():
        scene.ends(0)

    await scene.town.restart(skew=timedelta(hours=1))
    await scene.town.settled()
    await scene.town.look()

    assert scene.holds() == GOLD
    assert "seconds ahead of the payment processor" in scene.rows("SELECT stopped_reason FROM communities")[0][0]
