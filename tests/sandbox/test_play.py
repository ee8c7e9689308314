"""How the story's steps are told of."""

import io
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from rich.console import Console

from sandbox.story.play import _play_one, _show
from sandbox.story.stage import Failed, Stage


class Empty:
    """A stage on which nothing stands."""

    waited: float | None = None


async def slow(_stage: object) -> str:
    """Ann waits."""
    raise TimeoutError


async def wrong(_stage: object) -> str:
    """Ann looks."""
    raise Failed("the role [gold] is on")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (slow, "✗ Ann waits. TimeoutError: nothing came of it in time. If this machine is busy, try again.\n"),
        (wrong, "✗ Ann looks. Failed: the role [gold] is on\n"),
    ],
)
async def test_a_step_that_did_not_hold_says_why_on_one_line(step: Callable[[Any], Awaitable[str]], said: str) -> None:
    console = Console(file=io.StringIO(), width=40)
    result = await _play_one(cast("Stage", Empty()), step, console)
    _show(result, console, as_json=False)
    assert cast("io.StringIO", console.file).getvalue() == said
