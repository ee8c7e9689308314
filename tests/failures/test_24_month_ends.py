"""Months are the processor's to count: one that begins on 31 January ends when it says so."""

from datetime import UTC, datetime, timedelta

from core.entitlement import LEEWAY
from tests.failures.scene import Scene, played


@played
async def test_access_ends_by_the_processors_calendar_and_never_by_ours(scene: Scene) -> None:
    scene.town.clock.advance_to(datetime(2027, 1, 31, 12, tzinfo=UTC))
    await scene.pays()

    until = datetime.fromisoformat(scene.rows("SELECT expires_at FROM entitlements")[0][0]).replace(tzinfo=UTC)
    assert until - LEEWAY == datetime(2027, 2, 28, 12, tzinfo=UTC)
    await scene.town.advance(timedelta(days=29))

    until = datetime.fromisoformat(scene.rows("SELECT expires_at FROM entitlements")[0][0]).replace(tzinfo=UTC)
    assert until - LEEWAY == datetime(2027, 3, 31, 12, tzinfo=UTC)
