"""The database restarts: what was not stored was not acknowledged, and is sent again."""

from tests.failures.scene import GOLD, HOUR, Scene, played


@played
async def test_deliveries_that_met_a_database_away_come_again_and_are_done(scene: Scene) -> None:
    await scene.at_the_checkout(0, "Gold")
    scene.town.disk.away = True
    session = scene.asked()[-1]
    scene.charge(session)
    await scene.town._deliver()
    assert scene.town.accepted == {}
    scene.town.disk.away = False

    scene.town.clock.advance(HOUR)
    await scene.town.settled()

    assert scene.holds() == GOLD
