"""Plays the story, shows how it goes, and says in the end whether all of it held."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandbox.browser import Missing
from sandbox.discord.people import NoAnswerError
from sandbox.product import ProductError
from sandbox.story import doors, seasons, selling, sold
from sandbox.story.stage import Failed, Stage, open_stage
from sandbox.stripe.people import Refused

Step = Callable[[Stage], Awaitable[str]]
STEPS: tuple[Step, ...] = (*selling.ACT, *doors.ACT, *seasons.ACT, *sold.ACT)
READING_SPEED = 1.2
"""Real seconds a step stays on a terminal before the next begins."""
IN_TIME = "nothing came of it in time. If this machine is busy, try again."
"""Said of an error that has no words of its own."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one step went. ``waited`` is in milliseconds from the webhook to the role, where there was one."""

    step: str
    ok: bool
    detail: str
    ms: float
    waited: float | None = None


async def play(*, keep: bool = False, as_json: bool = False, record: Path | None = None) -> int:
    """Play every step; returns 0 when all held, else 1. ``keep`` stays up afterwards until interrupted."""
    console = Console(stderr=as_json)
    console.print("Starting Stripe, Discord, Slack and Doorman on this machine …")
    results: list[Result] = []
    try:
        async with open_stage(record) as stage:
            for step in STEPS:
                result = await _play_one(stage, step, console)
                results.append(result)
                _show(result, console, as_json=as_json)
                if not result.ok:
                    console.print(f"[dim]{_plain(stage.product.tail(2000))}[/dim]", highlight=False, soft_wrap=True)
                    break
            if keep:
                await _stay(stage, console)
    except ProductError as error:
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1
    if not as_json:
        console.print(_table(results))
    held = len(results) == len(STEPS) and all(result.ok for result in results)
    console.print("All of it held." if held else "Not all of it held.", style="bold green" if held else "bold red")
    return 0 if held else 1


async def _play_one(stage: Stage, step: Step, console: Console) -> Result:
    title = (step.__doc__ or step.__name__).strip()
    stage.waited, started = None, time.monotonic()
    try:
        with console.status(title):
            detail = await step(stage)
            if console.is_terminal:
                await asyncio.sleep(READING_SPEED)
    except (Failed, Refused, Missing, NoAnswerError, LookupError, TimeoutError) as error:
        why = f"{type(error).__name__}: {str(error) or IN_TIME}"
        return Result(title, ok=False, detail=why, ms=(time.monotonic() - started) * 1000)
    return Result(title, ok=True, detail=detail, ms=(time.monotonic() - started) * 1000, waited=stage.waited)


def _show(result: Result, console: Console, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"step": result.step, "ok": result.ok, "detail": result.detail, "ms": round(result.ms, 1)}) + "\n")
        sys.stdout.flush()
        return
    mark = "[green]✓[/green]" if result.ok else "[red]✗[/red]"
    console.print(f"{mark} {result.step} [dim]{_plain(result.detail)}[/dim]", highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def _table(results: list[Result]) -> Table:
    table = Table("Step", "What was checked", "Webhook to role", title="Doorman, from link to role and back")
    for result in results:
        waited = f"{result.waited:.0f} ms" if result.waited is not None else ""
        table.add_row(f"{'✓' if result.ok else '✗'} {result.step}", _plain(result.detail), waited)
    return table


async def _stay(stage: Stage, console: Console) -> None:
    town = stage.town
    console.print(f"The paid invite link:  {stage.link}", highlight=False)
    console.print(f"Move time or break things:  POST {town.control_url}/advance and {town.control_url}/faults", highlight=False)
    console.print("Pay with 4242 4242 4242 4242. Ctrl-C stops everything.")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        console.print("Stopping …")
