"""The same event delivered twice: stored once, done once."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_an_event_delivered_again_has_no_second_effect(scene: Scene) -> None:
    await scene.pays()
    before = scene.rows("SELECT count(*) FROM audit"), scene.calls("grant", "send"), scene.rows("SELECT count(*) FROM inbox")

    await scene.delivers(scene.told("checkout.session.completed"), scene.told("invoice.paid"))

    assert (scene.rows("SELECT count(*) FROM audit"), scene.calls("grant", "send"), scene.rows("SELECT count(*) FROM inbox")) == before
    assert scene.holds() == GOLD
