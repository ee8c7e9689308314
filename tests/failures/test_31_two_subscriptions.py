"""Two subscriptions that open the same: the end of one takes nothing the other still pays for."""

from tests.failures.scene import Scene, played


@played
async def test_the_end_of_one_of_two_keeps_what_both_open(scene: Scene) -> None:
    await scene.pays(0, "Gold")
    await scene.pays(0, "Silver")
    assert scene.holds() == {"Member", "Gold", "Silver"}

    scene.ends(0)
    await scene.town.settled()

    assert scene.holds() == {"Member", "Silver"}
