"""What goes wrong during one act of a history."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sandbox.faults import Fault, FaultKind
from tests.simulation.loop import Fuse, SeededLoop
from tests.simulation.program import AWAY, Gone, Program
from tests.simulation.town import Town

Trouble = tuple[Any, ...]
CALLS = (FaultKind.RATE_LIMITED, FaultKind.SERVER_ERROR, FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER)
MAIL = (FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.DELAY, FaultKind.REORDER)
POINTS, TURNS, STATEMENTS = 40, 120, 90
"""From among how many a crash, or a restart of the database, is chosen: about as many as one purchase has."""


def chosen(rng: random.Random) -> Trouble | None:
    """Choose what goes wrong, if anything does."""
    troubles: list[tuple[Trouble | None, int]] = [
        (("calls", "memory", rng.choice(CALLS), rng.randint(1, 3)), 2),
        (("calls", "stripe", rng.choice(CALLS), rng.randint(1, 3)), 2),
        (("mail", rng.choice(MAIL), rng.choice([120, 7200, 100_000])), 2),
        (("events", rng.choice([FaultKind.DROP, FaultKind.DUPLICATE])), 1),
        (("crash", rng.randint(1, POINTS)), 2),
        (("crash at a turn", rng.randint(1, TURNS)), 1),
        (("database", rng.randint(1, STATEMENTS)), 1),
        (("two workers",), 1),
        (("wrong clock", rng.choice([-1, 1])), 1),
        (None, 3),
    ]
    return rng.choices([trouble for trouble, _ in troubles], [weight for _, weight in troubles])[0]


class Faults:
    """Lets trouble happen during an act, and makes good what a person would afterwards: a process that is gone is started again."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._off = 0
        """Hours by which the clock of the process that runs is wrong."""

    async def during(self, trouble: Trouble | None, what: str, act: Callable[[], Awaitable[None]]) -> None:
        """Do something with trouble on the way."""
        before = list(self._town.rules)
        victim = await self._begin(trouble)
        if trouble is not None and trouble[0] in {"two workers", "wrong clock", "database"}:
            self._town.met[str(trouble[0]), what] += 1
        await act()
        await self._town.settled()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SeededLoop)
        loop.light(None)
        self._town.disk.statements_left = None
        if victim is not None and not victim.alive:
            point = victim.power.points[-1] if trouble is not None and trouble[0] == "crash" and victim.power.points else what
            self._town.met[str(trouble and trouble[0]), plain(point)] += 1
        elif victim is not None:
            victim.power.restore()
        self._town.rules[:] = before
        await self._repair()

    async def _begin(self, trouble: Trouble | None) -> Program | None:
        town = self._town
        victim = town.programs[0] if town.programs else None
        match trouble:
            case ("calls", str(service), FaultKind() as kind, int(times)):
                town.rules.append(Fault(service, kind, times=times, retry_after=30.0))
                town.excuses += times if kind is FaultKind.TIMEOUT_AFTER else 0
            case ("mail", FaultKind() as kind, int(seconds)):
                town.rules.append(Fault("stripe", kind, "WEBHOOK", times=None, seconds=seconds))
            case ("events", FaultKind() as kind):
                town.rules.append(Fault("memory", kind, "EVENT"))
            case ("crash", int(point)) if victim is not None:
                victim.power.arm(point)
            case ("crash at a turn", int(turn)) if victim is not None:
                loop = asyncio.get_running_loop()
                assert isinstance(loop, SeededLoop)
                loop.light(Fuse(victim, turn, victim.power.gone.set))
            case ("database", int(statements)):
                town.disk.statements_left = statements
                town.excuses += 4
            case ("two workers",) if len(town.programs) == 1:
                town.excuses += 12  # each may be saying something when the other takes the lane over
                await self._second()
            case ("wrong clock", int(hours)):
                self._off = hours
                await self._restart()
        return victim

    async def _second(self) -> None:
        with suppress(Gone, *AWAY):
            await self._town.start(1 - self._town.programs[0].number)

    async def _repair(self) -> None:
        """Start again what is gone."""
        town = self._town
        for program in [one for one in town.programs if not one.alive]:
            await town.bury(program)
        town.disk.away = False
        if not town.programs:
            await self._restart()

    async def _restart(self) -> None:
        with suppress(Gone, *AWAY):
            await self._town.restart(skew=timedelta(hours=self._off))

    async def over(self) -> None:
        """Let nothing go wrong any more: one process, on a clock that is right."""
        self._town.rules.clear()
        self._town.disk.away = False
        if self._off or [program.number for program in self._town.programs] != [0]:
            self._off = 0
            await self._town.restart()


def plain(point: str) -> str:
    """Return a point at which a process may end without whom it is about."""
    words = [word for word in point.split("/") if not (len(word) > 12 and "_" in word)]
    return "/".join(words)
