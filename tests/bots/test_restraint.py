"""`doorman run --grants-only`: nothing is taken until the processor and every platform have answered about everybody."""

from dataclasses import replace

from bots.jobs import due_rounds
from core.errors import TransientError
from membership.restraint import Restraint
from tests.bots.bench import Bench


async def test_it_is_lifted_by_itself_once_everybody_has_answered_and_not_before(bench: Bench) -> None:
    await bench.plan()
    await bench.buy(bench.fan, "Fay")
    restraint = Restraint(held=True)
    run = due_rounds(replace(bench.base, restraint=restraint), bench.cases)
    bench.adapter.down = TransientError("away")
    await run()
    assert restraint.held
    bench.adapter.down = None
    await run()
    assert not restraint.held
