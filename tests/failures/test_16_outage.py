"""A space that does not answer is not a space that is lost."""

from core.errors import TransientError
from tests.failures.scene import GOLD, HOUR, Scene, played


@played
async def test_an_outage_of_the_platform_changes_nothing(scene: Scene) -> None:
    await scene.pays()
    before = scene.rows("SELECT id, status, actual FROM grants"), len(scene.heard())
    scene.town.program.adapter.down = TransientError("the server is away")

    await scene.town.advance(HOUR)

    assert (scene.rows("SELECT id, status, actual FROM grants"), len(scene.heard())) == before
    assert scene.rows("SELECT connected FROM spaces") == [(1,)]
    assert scene.holds() == GOLD
