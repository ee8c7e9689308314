"""A part of the money given back takes nothing away."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_part_given_back_is_booked_and_keeps_access(scene: Scene) -> None:
    await scene.pays()

    scene.is_refunded(0, 100)
    await scene.town.settled()

    assert scene.holds() == GOLD
    assert scene.rows("SELECT amount FROM ledger WHERE cause LIKE 'refund:%'") == [(100,)]
