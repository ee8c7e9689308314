"""`doorman dead`: what was given up, and a person's word on what becomes of it."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bots.console import BAD_SETTINGS, carry_out, give_up, out
from bots.foundation import stand_on
from bots.masking import Masker, printable
from bots.settings import Configuration
from core.causality import Origin, new_cause
from core.errors import Refusal
from storage import dead_letters
from storage.audit import Trail
from storage.database import Session
from storage.dead_letters import Letter

SHOWN, SHORT = 200, 100
app = typer.Typer(help="What was given up after its tries: look at it, have it tried again, or drop it.", no_args_is_help=True)
Names = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="As `doorman dead list` shows them.")]
Name = Annotated[str, typer.Argument(metavar="ID", help="As `doorman dead list` shows it.")]


@app.command("list")
def show_all() -> None:
    """List what was given up, the oldest first, with what its last try said."""
    letters = carry_out(every)
    for letter in letters:
        error = printable(letter.error)
        short = error if len(error) <= SHORT else f"{error[:SHORT]}…"
        out.print(f"{letter.id}  {letter.since:%Y-%m-%d %H:%M} UTC  {letter.kind}: {letter.what} {letter.about}\n    {short}", markup=False)
    out.print(_and_now(len(letters)), markup=False)


@app.command("show")
def show_one(name: Name) -> None:
    """Show one in full: when it came, how often it was tried, what its last try said and what it holds."""
    out.print(carry_out(lambda configuration: told(configuration, name)), markup=False)


@app.command()
def replay(
    names: Names = None, *, everything: Annotated[bool, typer.Option("--all", help="All of them, save what is another account's.")] = False
) -> None:
    """Have some tried again from the start. Safe: each step may be done twice, and what is done already stays as it is."""
    if bool(names) == everything:
        give_up("Say which ones, or --all.", BAD_SETTINGS)
    again = carry_out(lambda configuration: try_again(configuration, names or []))
    out.print(f"{_counted(again)} tried again. doorman dead list shows what fails once more.", markup=False)


@app.command()
def drop(names: Annotated[list[str], typer.Argument(metavar="ID...", help="As `doorman dead list` shows them.")]) -> None:
    """Have nothing come of some. What somebody should hold is never dropped: replay it, or end what they paid for."""
    dropped = carry_out(lambda configuration: forget(configuration, names))
    out.print(f"{_counted(dropped)} dropped.", markup=False)


async def every(configuration: Configuration) -> Sequence[Letter]:
    """Return what was given up."""
    async with stand_on(configuration, touch=False) as base, base.db.reading() as session:
        return await dead_letters.every(session, SHOWN)


async def told(configuration: Configuration, name: str) -> str:
    """Return one in words, with what it holds, save secrets. Refusal ``letter_unknown``."""
    async with stand_on(configuration, touch=False) as base, base.db.reading() as session:
        letter = await _find(session, name)
    tries = "never tried: it was set aside" if letter.set_aside else f"{letter.attempts} tries"
    lines = [
        f"{letter.kind}: {letter.what} {letter.about}", f"since {letter.since:%Y-%m-%d %H:%M:%S} UTC, {tries}", letter.error, "",
        letter.content,
    ]  # fmt: skip
    return Masker(configuration.secrets()).mask("\n".join(lines)).rstrip()


async def try_again(configuration: Configuration, names: Sequence[str]) -> int:
    """Have some, or all without ``names``, tried again; returns how many. Refusals ``letter_unknown``, ``letter_set_aside``."""
    done = 0
    async with stand_on(configuration) as base, base.db.transaction() as session:
        trail = Trail(base.ids, base.clock.now(), new_cause(base.ids, Origin.OPERATOR), "operator")
        found = [await _find(session, name) for name in names] if names else await dead_letters.every(session, SHOWN)
        for letter in found:
            if letter.set_aside and names:
                raise Refusal("letter_set_aside", f"{letter.id} is not ours to carry out: it is {letter.error}. Drop it, or mend the keys.")
            done += not letter.set_aside and await dead_letters.replay(session, letter, trail)
    return done


async def forget(configuration: Configuration, names: Sequence[str]) -> int:
    """Drop some and return how many. Refusals ``letter_unknown``, ``letter_is_grant``."""
    done = 0
    async with stand_on(configuration) as base, base.db.transaction() as session:
        for letter in [await _find(session, name) for name in names]:
            if letter.is_grant:
                raise Refusal("letter_is_grant", f"{letter.id} is about what somebody holds, so it is not dropped. doorman dead replay it.")
            done += await dead_letters.drop(session, letter, base.clock.now())
    return done


async def _find(session: Session, name: str) -> Letter:
    letter = await dead_letters.find(session, name)
    if letter is None:
        raise Refusal("letter_unknown", f"Nothing called {name} was given up. doorman dead list shows what was.")
    return letter


def _counted(number: int) -> str:
    return "One is" if number == 1 else f"{number} are"


def _and_now(number: int) -> str:
    if not number:
        return "Nothing was given up."
    return "doorman dead show ID says more; doorman dead replay ID has it tried again; doorman dead drop ID lets it go."
