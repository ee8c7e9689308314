"""What a plan opens is gone: the plan is not sold, its creator is told once, and nobody is asked for again and again."""

from tests.failures.scene import HOUR, Scene, played


@played
async def test_a_plan_whose_role_is_deleted_is_paused_and_its_creator_told_once(scene: Scene) -> None:
    del scene.town.place.things[scene.town.roles["Gold"]]
    await scene.pays(0)
    await scene.pays(1)
    before = scene.calls("grant")

    await scene.town.advance(HOUR)
    await scene.minutes(5)

    assert scene.calls("grant") == before
    assert sum("does not exist any more" in words for words in scene.heard()) == 1
    assert scene.rows("SELECT count(*) FROM resources WHERE problem <> ''") == [(1,)]
    assert scene.holds() == {"Member"}
