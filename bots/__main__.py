"""The command line."""

import asyncio
import gc
import logging
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bots import bundles
from bots.bootstrap import open_doorman
from bots.commands import COMMANDS
from bots.console import BAD_SETTINGS, FAILED, Answer, carry_out, err, give_up, out
from bots.doctor import examine, table
from bots.foundation import open_database, prepare
from bots.history import tell
from bots.letters import app as letters
from bots.platforms import installed
from bots.reconciling import lines
from bots.reconciling import reconcile as compare
from bots.settings import Configuration
from bots.sweeping import confirm, sweep_once
from core.clock import SystemClock
from core.ids import RandomIds
from storage.finding import WAYS

logger = logging.getLogger(__name__)
Record = Annotated[
    Path | None, typer.Option("--record", envvar="SANDBOX_RECORD", metavar="FILE", help="Write every exchange with the emulators there.")
]
_WHOLE = 10_000
"""Columns of a table that no terminal shows: each finding stays on its line, for whoever reads it next."""
STOP = (signal.SIGTERM, signal.SIGINT)
STOPPED = 130
"""Exit code: a story was stopped in the middle."""

app = typer.Typer(
    name="doorman",
    help="Paid communities: a paid invite link, a role or a channel while it is paid for, and nothing of it afterwards.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(letters, name="dead")


@app.command()
def run(
    *,
    grants_only: Annotated[
        bool, typer.Option("--grants-only", help="Take nothing from anybody until everything was compared: after a restored backup.")
    ] = False,
) -> None:
    """Start everything: pages, webhooks, chat connections, worker and scheduler. Stops cleanly on SIGTERM or Ctrl-C."""
    carry_out(lambda configuration: _serve(configuration, grants_only=grants_only))


@app.command()
def migrate() -> None:
    """Bring the database in DATABASE_URL up to date. Safe to run at any time, and twice."""
    carry_out(_migrate)
    out.print("The database is up to date.", markup=False)


@app.command()
def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards and print the addresses, to click around.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per step instead of the picture.")] = False,
    record: Record = None,
) -> None:
    """Play the whole story against emulators on this machine: no account, no settings, no network."""
    from sandbox.story import play  # noqa: PLC0415 - the programs that serve people do without the emulators

    code = asyncio.run(_until_stopped(play(keep=keep, as_json=json, record=record)))
    raise typer.Exit(STOPPED if code is None else code)


@app.command()
def sandbox(*, record: Record = None) -> None:
    """Start the emulators alone, and print the settings to copy. Stops on Ctrl-C."""
    from sandbox.cast import first_of_all  # noqa: PLC0415 - as above
    from sandbox.town import open_town  # noqa: PLC0415

    async def stay() -> None:
        async with open_town("http://127.0.0.1:8080", start=SystemClock().now(), record=record) as town:
            await first_of_all(town.cast)
            for name, value in town.environment("sqlite:///sandbox.db").items():
                out.print(f"{name}={value}", markup=False)
            for line in town.introduction():
                err.print(line, markup=False)
            await asyncio.Event().wait()

    asyncio.run(_until_stopped(stay()))


@app.command()
def sweep(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    community: Annotated[str, typer.Option("--confirm", metavar="COMMUNITY", help="Let a stopped sweep of this community go on.")] = "",
) -> None:
    """Look now at what is due, and compare with the payment processor and the platforms. Exits 1 when the processor gives no answer.

    A running program does so by itself.
    """
    if community and dry_run:
        give_up(
            "--confirm lets a sweep go on, and --dry-run changes nothing: look with --dry-run first, then confirm without it.", BAD_SETTINGS
        )
    if community:
        name = carry_out(lambda configuration: confirm(configuration, community))
        out.print(f"{name} may go on: what is waiting will be carried out.", markup=False)
    swept = carry_out(lambda configuration: sweep_once(configuration, dry_run=dry_run))
    for heading, found in swept.found:
        out.print(f"{heading}{' (nothing was changed)' if dry_run else ''}\n{found}", markup=False)
    if not swept.whole:
        give_up("Not everything could be looked at; see above. Mend that, or wait a little, and run this again.")


@app.command()
def doctor() -> None:
    """Examine settings, database, payment key and what every plan opens, and say what to mend. Exits 1 on a finding."""
    findings = carry_out(examine)
    Console(highlight=False, width=None if out.is_terminal else _WHOLE).print(table(findings))
    if any(not finding.well for finding in findings):
        raise typer.Exit(FAILED)


@app.command()
def reconcile(
    *,
    community: Annotated[str, typer.Option("--community", metavar="COMMUNITY", help="Look at this one alone; else at all of them.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
) -> None:
    """Compare every payment, row and platform, and say who pays without access, who has it without paying, and what it is worth a month.

    Stop it with Ctrl-C; run again, it goes on where it stopped. A running program does it once a day by itself.
    """

    def say(text: str) -> None:
        err.print(text, markup=False)

    found = carry_out(lambda configuration: _until_stopped(compare(configuration, community, dry_run=dry_run, say=say)))
    if found is None:
        give_up("Stopped. Run it again, and it goes on where it stopped.", STOPPED)
    for line in lines(found):
        out.print(line, markup=False)
    if not found.whole:
        give_up("Not everything could be looked at; see above. Mend that, or wait a little, and run this again.")


@app.command()
def why(person: Annotated[str, typer.Argument(metavar="PERSON", help=f"{WAYS[0].upper()}{WAYS[1:]}.")]) -> None:
    """Tell why somebody has what they have: what came in, what it changed, what each platform answered, and when."""
    for line in carry_out(lambda configuration: tell(configuration, person)):
        out.print(line, markup=False)


@app.command("export")
def write_bundle(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; replaced once the new one is whole.")],
    *,
    community: Annotated[str, typer.Option("--community", metavar="COMMUNITY", help="This one alone; else all of them.")] = "",
) -> None:
    """Write people, linked accounts, Stripe ids, plans, access, tips and the record into a file. No secret is in it."""
    rows = carry_out(lambda configuration: bundles.export(configuration, file, community))
    out.print(f"{file} has {rows:,} rows. It names people: keep it as you keep a backup.", markup=False)


@app.command("import")
def read_bundle(file: Annotated[Path, typer.Argument(metavar="FILE", help="What doorman export wrote.")]) -> None:
    """Read what doorman export wrote into an empty database. Nobody is charged, and no call goes out."""
    rows = carry_out(lambda configuration: bundles.take_in(configuration, file))
    out.print(f"{rows:,} rows are in. Next: doorman doctor, then doorman run --grants-only.", markup=False)


def main() -> None:
    """Run the command line, with what the installed platforms add to it."""
    for name, platform in installed().items():
        if platform.cli is not None:
            app.add_typer(platform.cli, name=name, help=f"What only {platform.label} needs.")
    app(prog_name="doorman", obj=[command.spec for command in COMMANDS])


async def _serve(configuration: Configuration, *, grants_only: bool) -> None:
    stop = asyncio.Event()
    for number in STOP:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_doorman(configuration, grants_only=grants_only) as doorman:
        gc.collect()
        gc.freeze()  # what was loaded stays to the end: searching it for garbage, again and again, would keep payers waiting
        logger.info("listening at %s, reached at %s", doorman.base_url, configuration.settings.public_url)
        await stop.wait()


async def _until_stopped(work: Coroutine[Any, Any, Answer]) -> Answer | None:
    """Await ``work``; SIGTERM and Ctrl-C end it in good order, and then there is no answer."""
    running = asyncio.ensure_future(work)  # noqa: TID251 - awaited right here
    for number in STOP:
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        return None


async def _migrate(configuration: Configuration) -> None:
    async with open_database(configuration) as db:
        await prepare(db, SystemClock(), RandomIds(), migrate=True)


if __name__ == "__main__":
    main()
