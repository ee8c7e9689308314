"""The database restarts: what was not stored was not acknowledged, and is sent again."""

from tests.failures.scene import GOLD, HOUR, Scene, played


@played
async def test_deliveries_that_met_a_database_away_come_again_and_are_done(scene: Scene) -> None:
    await scene.town.look()
    await scene.pays(1)
    session = await scene.at_the_checkout(0, "Gold")
    assert session is not None
    before = len(scene.town.accepted)
    scene.charge(session)
    scene.town.disk.away = True
    await scene.town._deliver()
    assert len(scene.town.accepted) == before
    scene.town.disk.away = False

    scene.town.clock.advance(HOUR)
    await scene.town.settled()

    assert scene.holds() == GOLD
