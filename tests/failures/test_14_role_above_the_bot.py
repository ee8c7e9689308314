"""A role moved above the bot: one alert, no call for every member, and all is given once it is moved back."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_role_that_is_moved_back_is_given_to_everybody_who_waited(scene: Scene) -> None:
    await scene.moves("Gold", above=True)
    await scene.pays(0)
    await scene.pays(1)
    assert (scene.holds(0), scene.holds(1)) == ({"Member"}, {"Member"})
    assert sum("stands above the bot" in words for words in scene.heard()) == 1

    await scene.moves("Gold", above=False)
    await scene.town.settled()

    assert (scene.holds(0), scene.holds(1)) == (GOLD, GOLD)
