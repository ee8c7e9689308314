"""Keep a lane's work flowing: what is slow is waited for beside the rest, never before it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from typing import Any

Jobs = Mapping[Hashable, Coroutine[Any, Any, None]]
Find = Callable[[frozenset[Hashable]], Awaitable[Jobs]]
"""Return the jobs to start now, by what they are about, given what is already being worked on (and must not be started again)."""
LOOK_AGAIN = 1.0
"""Real seconds after which a running pump looks for what fell due meanwhile, though nobody woke it."""


async def pump(find: Find, woken: asyncio.Event) -> None:
    """Start what ``find`` finds, and look again whenever a job ends or ``woken`` is set; returns when nothing runs and nothing is found.

    A job that raises ends the pump: the others are cancelled, and the error is raised in an ExceptionGroup.
    """
    running: dict[asyncio.Task[None], Hashable] = {}
    async with asyncio.TaskGroup() as group:
        while True:
            woken.clear()
            for key, job in (await find(frozenset(running.values()))).items():
                running[group.create_task(job)] = key
            if not running:
                return
            await _next(running, woken)
            running = {task: key for task, key in running.items() if not task.done()}


async def _next(running: Mapping[asyncio.Task[None], Hashable], woken: asyncio.Event) -> None:
    """Wait until a job ends, somebody wakes us, or it is time to look again."""
    waiting = asyncio.get_running_loop().create_task(woken.wait())
    try:
        await asyncio.wait([*running, waiting], timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
