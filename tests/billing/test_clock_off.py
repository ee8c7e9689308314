"""A clock that goes back by an hour: what we hold then seems to be of later than whatever is said now."""

from datetime import timedelta

from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_refund_counts_though_our_clock_was_ahead_when_we_looked_before(scene: Scene) -> None:
    await scene.pays()
    await scene.town.restart(skew=timedelta(hours=-1))
    assert scene.holds() == GOLD
    scene.is_refunded(0)
    await scene.town.settled()
    assert scene.holds() == set()
    assert scene.rows("SELECT state FROM entitlements") == [("ended",)]
