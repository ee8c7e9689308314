"""A database from before: until everything has been compared once, people are let in and nobody is put out."""

import sqlite3
from datetime import timedelta

from core.errors import TransientError
from tests.failures.scene import GOLD, HOUR, Scene, played


@played
async def test_what_a_restored_backup_would_take_waits_until_everything_was_compared(scene: Scene) -> None:
    await scene.pays(0, "Gold", "fails later")
    scene.town.program.adapter.down = TransientError("the server is away")
    await scene.town.advance(timedelta(days=31))
    await scene.town.advance(timedelta(days=6))
    assert scene.rows("SELECT DISTINCT wanted, status FROM grants") == [(0, "pending")], "their grace is over, and they are to be put out"
    backup = sqlite3.connect(":memory:")
    scene.town.disk.copy_to(backup)
    scene.pays_at_last(0)
    await scene.town.settled()
    scene.town.program.adapter.down = None
    await scene.town.advance(HOUR)
    assert scene.holds() == GOLD

    for program in list(scene.town.programs):
        await scene.town.bury(program)
    scene.town.disk.copy_from(backup)
    backup.close()
    program = await scene.town.start(grants_only=True)
    await scene.town.settled()
    assert scene.holds() == GOLD, "what the backup would have taken is still there"
    await program.look()
    program.base.restraint.lift()
    await scene.town.advance(HOUR)

    assert scene.holds() == GOLD
    assert "revoke" not in [call.verb for call in program.adapter.changes]
