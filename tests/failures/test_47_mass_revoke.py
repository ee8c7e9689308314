"""An answer by which a whole community would end at once is more likely wrong: it is said, and waits for a person."""

from datetime import timedelta

from tests.failures.scene import GOLD, Scene, played

FANS = 10
"""With the one there is they hold 22 roles; 20 may go at once without a question."""


@played
async def test_when_everybody_would_lose_access_at_once_nobody_does_until_somebody_confirms(scene: Scene) -> None:
    await scene.pays()
    scene.crowd(FANS)
    with scene.lost():
        for row in scene.town.model.default.table("subscription"):
            row["status"] = "canceled"
    await scene.town.advance(timedelta(days=2))

    assert scene.holds() == GOLD
    assert "would end at once" in scene.rows("SELECT stopped_reason FROM communities")[0][0]
    assert sum("would end at once" in words for words in scene.heard()) == 1
