"""A sweep that comes days late, or twice at once: it does what is due, once."""

from datetime import timedelta

from sandbox.faults import FaultKind
from tests.failures.scene import Scene, played


@played
async def test_two_late_sweeps_at_once_end_what_is_due_once(scene: Scene) -> None:
    scene.goes_wrong("stripe", FaultKind.SERVER_ERROR, "checkout/sessions")
    assert await scene.at_the_checkout(0, "Gold") is None
    scene.town.clock.advance(timedelta(days=3))
    await scene.town.settled()
    program = scene.town.program
    (sweep,) = [job for job in program.jobs if job.name == "sweep"]

    async def twice() -> None:
        await sweep.run()
        await sweep.run()

    await program.ask(twice())

    assert scene.rows("SELECT status FROM orders") == [("expired",)]
    assert scene.rows("SELECT count(*) FROM audit WHERE action = 'order.expired'") == [(1,)]
