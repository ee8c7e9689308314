"""A role moved above the bot: one alert, no call for every member, and all is given once it is moved back."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_role_that_is_moved_back_is_given_to_everybody_who_waited(scene: Scene) -> None:
    windows = [await scene.at_the_checkout(who, "Gold") for who in (0, 1)]  # once it is told, nobody can buy it
    scene.town.place.things[scene.town.roles["Gold"]].reachable = False
    for who, window in enumerate(windows):
        assert window is not None
        scene.charge(window, who)
    await scene.town.settled()
    assert (scene.holds(0), scene.holds(1)) == ({"Member"}, {"Member"})
    assert sum("stands above the bot" in words for words in scene.heard()) == 1

    await scene.moves("Gold", above=False)
    await scene.town.settled()

    assert (scene.holds(0), scene.holds(1)) == (GOLD, GOLD)
