"""What every command of the command line does alike: read the settings, run, say what went wrong in a sentence."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import typer
from rich.console import Console

from bots.failures import EXPECTED, sentence
from bots.logging import configure_logging
from bots.settings import BadSettings, Configuration, read_settings

FAILED, BAD_SETTINGS = 1, 2
"""Exit codes: something went wrong that is not our bug; a setting, or what was asked, is missing or malformed."""
Answer = TypeVar("Answer")
out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)


def carry_out(job: Callable[[Configuration], Coroutine[Any, Any, Answer]]) -> Answer:
    """Read the settings, set up the log and run ``job``. What can be expected to go wrong ends in a sentence, not in a traceback."""
    try:
        configuration = read_settings()
        settings = configuration.settings
        configure_logging(settings.log_level, settings.log_format, secrets=configuration.secrets())
        return asyncio.run(job(configuration))
    except BadSettings as bad:
        give_up("\n".join(bad.problems), BAD_SETTINGS)
    except EXPECTED as problem:
        told = sentence(problem)
        if told is None:
            raise
        give_up(told)


def give_up(why: str, code: int = FAILED) -> NoReturn:
    """End the program with a sentence and an exit code."""
    err.print(why, markup=False)
    raise typer.Exit(code)
