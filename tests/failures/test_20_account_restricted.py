"""The processor does not let us ask any more: members keep what they are known to have paid for, and nothing ends in a flood."""

from datetime import timedelta

from core.errors import KeyRefused
from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_processor_that_refuses_us_ends_nobodys_access(scene: Scene) -> None:
    await scene.pays(0)
    await scene.pays(1)
    scene.town.model.keys.clear()

    for _ in range(3):
        await scene.town.advance(timedelta(days=11))

    assert (scene.holds(0), scene.holds(1)) == (GOLD, GOLD)
    assert scene.rows("SELECT DISTINCT state FROM entitlements") == [("active",)]
    assert KeyRefused.remedy == "operator"
