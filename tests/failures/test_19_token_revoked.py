"""A refused token: nothing is recorded as done or lost, it is tried every few minutes, and works once somebody mended it."""

from core.errors import PermanentError
from tests.failures.scene import GOLD, Scene, played


@played
async def test_a_refused_token_costs_a_call_every_five_minutes_and_nobodys_access(scene: Scene) -> None:
    await scene.pays(1)
    adapter = scene.town.program.adapter
    adapter.down = PermanentError("the token is not valid any more", code="unauthorized")
    await scene.pays(0)
    before = len(adapter.calls)

    await scene.minutes(20)
    assert 2 <= len(adapter.calls) - before <= 8
    assert scene.holds(1) == GOLD
    adapter.down = None
    await scene.minutes(6)

    assert scene.holds(0) == GOLD
