"""A word of the processor's that we do not know: access stays, and somebody is told."""

from tests.failures.scene import GOLD, Scene, played


@played
async def test_an_unknown_status_keeps_access_and_is_told_once(scene: Scene) -> None:
    await scene.pays()
    scene.subscription()["status"] = "hibernating"
    event = scene.told("customer.subscription.created")
    before = len(scene.heard())

    scene.town.model.default.emit("customer.subscription.updated", scene.subscription())
    await scene.town.settled()
    await scene.delivers(event)

    assert scene.holds() == GOLD
    assert len(scene.heard()) == before + 1
