"""A delivery that never came: what was paid for is open within the hour all the same."""

from tests.failures.scene import GOLD, HOUR, Scene, played


@played
async def test_a_payment_nobody_told_us_of_opens_within_the_hour(scene: Scene) -> None:
    with scene.lost():
        await scene.pays()
    assert scene.holds() == set()

    await scene.town.advance(HOUR)

    assert scene.holds() == GOLD
