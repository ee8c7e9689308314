"""Money given back after the end changes nothing more; given back for something for life, it ends that."""

from tests.failures.scene import Scene, played


@played
async def test_a_refund_of_what_has_ended_is_no_news_and_one_for_life_ends_it(scene: Scene) -> None:
    await scene.pays()
    scene.ends(0)
    await scene.town.settled()
    before = scene.calls("grant", "revoke", "send")
    scene.is_refunded(0)
    await scene.town.settled()
    assert scene.calls("grant", "revoke", "send") == before

    await scene.pays(1, "Life")
    assert scene.holds(1) == {"Life"}
    scene.is_refunded(1)
    await scene.town.settled()

    assert scene.holds(1) == set()
