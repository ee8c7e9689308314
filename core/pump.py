"""Keep a lane's work flowing: what is slow is waited for beside the rest, never before it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """Jobs to start now, by what they are about; ``more`` when some had to be left for when one of those under way ends."""

    jobs: Mapping[Hashable, Coroutine[Any, Any, None]]
    more: bool = False


Find = Callable[[frozenset[Hashable]], Awaitable[Found]]
"""Find what is due, given what is being worked on already (and must not be started again)."""
LOOK_AGAIN = 1.0
"""Real seconds after which a running pump looks for what fell due meanwhile, though nobody woke it."""


async def pump(find: Find, woken: asyncio.Event) -> None:
    """Start what ``find`` finds, until nothing is found and nothing runs.

    It looks again when ``woken`` is set, when a job ends and there was more than could be started, and after a while. A job that raises
    ends the pump: the others are cancelled, and the error is raised in an ExceptionGroup.
    """
    running: dict[asyncio.Task[None], Hashable] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            woken.clear()
            found = await find(frozenset(running.values()))
            for key, job in found.jobs.items():
                running[group.create_task(job)] = key
            looking = False
            while running and not looking:
                ended = await _next(running, woken)
                running = {task: key for task, key in running.items() if not task.done()}
                looking = woken.is_set() or not ended or found.more
            if not running and not looking:
                return


async def _next(running: Mapping[asyncio.Task[None], Hashable], woken: asyncio.Event) -> bool:
    """Wait until a job ends, somebody wakes us, or it is time to look again; returns whether a job ended."""
    waiting = asyncio.get_running_loop().create_task(woken.wait())
    try:
        done, _ = await asyncio.wait([*running, waiting], timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
        return bool(done - {waiting})
    finally:
        waiting.cancel()
