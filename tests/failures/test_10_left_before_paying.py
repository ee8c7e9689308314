"""Whoever pays from outside is let in when they come: nothing is lost meanwhile."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_what_was_paid_for_from_outside_is_given_at_the_door(scene: Scene) -> None:
    await scene.pays(2)
    assert scene.holds(2) is None
    assert scene.rows("SELECT DISTINCT status, remedy FROM grants") == [("blocked", "member")]

    await scene.joins(2)
    await scene.town.settled()

    assert scene.holds(2) == GOLD
