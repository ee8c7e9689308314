"""The bot is thrown out: its creator is warned, payments go on, and all is given again when it is back."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_whoever_lost_their_role_while_the_bot_was_out_has_it_again_when_it_is_back(scene: Scene) -> None:
    await scene.pays()
    await scene.kicks()
    scene.town.place.members[scene.user(0)].clear()
    await scene.town.settled()
    assert scene.rows("SELECT count(*) FROM outbox WHERE payload LIKE '%space_lost%'") == [(1,)]
    assert scene.rows("SELECT connected FROM spaces") == [(0,)]
    assert scene.rows("SELECT state FROM entitlements") == [("active",)]

    await scene.adds_again()
    await scene.town.settled()
    await scene.town.look()

    assert scene.holds() == GOLD
