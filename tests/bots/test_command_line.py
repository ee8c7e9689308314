import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bots.__main__ import app
from bots.platforms import installed
from bots.settings import read_settings

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def found_the_den(folder: Path, **more: str) -> None:
    """Write the row of one community, with whatever else it says."""
    row = {"id": "den", "name": "The Den", "currency": "USD", "keep_refunded": False, "notice_channel": "",
           "created_at": "2026-11-02 09:00:00", "stopped_reason": "", **more}  # fmt: skip
    with closing(sqlite3.connect(folder / "doorman.db")) as rows, rows:
        rows.execute(f"INSERT INTO communities ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))  # noqa: S608


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings that are complete; every vendor's address is one where nobody answers."""
    port, nobody = free_port(), f"127.0.0.1:{free_port()}"
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
        "LOG_LEVEL": "DEBUG",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'doorman.db'}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "SECRET_KEY": "canary-key-that-is-long-enough-to-be-one",
        "STRIPE_API_KEY": "sk_test_canary0123456789",
        "STRIPE_WEBHOOK_SECRET": "whsec_canary0123456789",
        "STRIPE_API_URL": f"http://{nobody}",
        "DISCORD_TOKEN": "canary-token-0123456789",
        "DISCORD_CLIENT_ID": "1234567890",
        "DISCORD_CLIENT_SECRET": "canary-secret-0123456789",
        "DISCORD_API_URL": f"http://{nobody}/api/v10",
        "DISCORD_GATEWAY_URL": f"ws://{nobody}",
    }


def start(environment: Mapping[str, str], folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "bots", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the program's end and return its exit code and what it said."""
    said, _ = process.communicate(timeout=45)
    assert "Traceback" not in said, said
    assert "canary" not in said, said
    return process.returncode, said


@pytest.fixture
def run(undisturbed: None, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:  # noqa: ARG001
    """Run a command in this process, which is faster, and return its exit code and what it said."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, **changes: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(arguments), env=environment | changes)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert "canary" not in result.output, result.output
        return result.exit_code, result.output

    return call


@pytest.fixture
def serving(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, started."""
    with start(environment, tmp_path, "run") as process:
        yield process
        if process.poll() is None:
            process.kill()


def answers(url: str, process: subprocess.Popen[str]) -> int:
    """Return the status of ``url`` once the program answers."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing answers at {url}")


def test_the_help_names_every_command() -> None:
    said = CliRunner().invoke(app, ["--help"]).stdout
    assert all(f"{name} " in said for name in ("run", "migrate", "demo", "sandbox", "sweep", "doctor", "reconcile", "why", "dead"))


@pytest.mark.parametrize("name", ["run", "migrate", "demo", "sandbox", "sweep", "doctor", "reconcile", "why"])
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert f"doorman {name}" in result.stdout or f"{name} [OPTIONS]" in result.stdout


def test_missing_settings_are_all_named_and_the_exit_code_is_2(tmp_path: Path) -> None:
    bare = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "STRIPE_API_KEY": "canary", "PORT": "canary"}
    with start(bare, tmp_path, "run") as process:
        code, said = ended(process)
    assert code == 2
    names = [line.split()[0] for line in said.splitlines()]
    assert names == ["PUBLIC_URL", "PORT", "SECRET_KEY", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET", "No"]


def test_a_database_is_brought_up_to_date_once_and_twice(run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        assert run("migrate") == (0, "The database is up to date.\n")
    assert (tmp_path / "doorman.db").exists()


def test_a_sweep_that_shall_change_nothing_does_not_even_make_tables(run: Run, tmp_path: Path) -> None:
    (tmp_path / "doorman.db").touch()
    assert run("sweep", "--dry-run") == (1, "the database is not up to date; run: doorman migrate\n")


@pytest.mark.parametrize("command", [["sweep", "--dry-run"], ["doctor"]])
def test_looking_makes_no_database_where_there_is_none(run: Run, tmp_path: Path, command: list[str]) -> None:
    code, said = run(*command, COLUMNS="80")
    assert code == 1
    assert f"There is no database {tmp_path / 'doorman.db'} yet. Run: doorman migrate" in said
    assert not list(tmp_path.glob("doorman.db*"))


@pytest.mark.parametrize("options", [[], pytest.param(["--dry-run"], marks=pytest.mark.long)])
def test_a_sweep_says_what_it_found_and_what_it_could_not_ask(run: Run, options: list[str]) -> None:
    run("migrate")
    code, said = run("sweep", *options)
    assert code == 1
    assert "could not be reached" in said
    assert said.endswith("Not everything could be looked at; see above. Mend that, or wait a little, and run this again.\n")
    said = said.replace(" (nothing was changed)", "")
    assert "Compared with the payment processor" in said
    assert "Due by the clock\nNothing is due." in said
    assert "Compared with the platforms\nNobody to look for." in said


@pytest.mark.parametrize("options", [[], pytest.param(["--dry-run"], marks=pytest.mark.long)])
def test_comparing_everything_says_what_could_not_be_asked(run: Run, options: list[str]) -> None:
    run("migrate")
    code, said = run("reconcile", *options)
    assert code == 1
    assert "Asking the payment processor for every subscription" in said
    assert "could not be reached" in said
    assert said.endswith("Not everything could be looked at; see above. Mend that, or wait a little, and run this again.\n")


def test_comparing_a_community_that_is_not_there_is_refused(run: Run) -> None:
    run("migrate")
    assert run("reconcile", "--community", "nobody")[1].endswith("There is no community nobody. doorman doctor names them.\n")


def test_asking_why_about_somebody_unknown_says_by_what_people_are_known(run: Run) -> None:
    run("migrate")
    code, said = run("why", "nobody")
    assert code == 1
    assert said.startswith("I know nobody by “nobody”. Give an account's name or id on its platform")


def test_nothing_was_given_up_is_said(run: Run) -> None:
    run("migrate")
    assert run("dead", "list") == (0, "Nothing was given up.\n")
    assert run("dead", "replay") == (2, "Say which ones, or --all.\n")


def test_confirming_what_is_not_there_is_refused(run: Run) -> None:
    assert run("sweep", "--confirm", "nobody") == (1, "There is no community nobody. doorman doctor shows which are stopped.\n")


def test_looking_and_confirming_at_once_is_refused_and_confirms_nothing(run: Run, tmp_path: Path) -> None:
    run("migrate")
    found_the_den(tmp_path, stopped_at="2026-11-02 09:00:00", stopped_reason="Too many at once.")
    code, said = run("sweep", "--dry-run", "--confirm", "den")
    assert (code, said) == (
        2,
        "--confirm lets a sweep go on, and --dry-run changes nothing: look with --dry-run first, then confirm without it.\n",
    )
    with closing(sqlite3.connect(tmp_path / "doorman.db")) as rows:
        assert rows.execute("SELECT confirmed_at FROM communities").fetchall() == [(None,)]


def test_the_doctor_says_what_does_not_answer_and_the_exit_code_is_1(run: Run) -> None:
    run("migrate")
    code, said = run("doctor")
    assert code == 1
    assert "ok  Database" in said
    assert "!!  Stripe" in said
    assert "could not be reached" in said, "it was tried, and found to be away"
    assert "env here" not in said, "migrating is all it takes to be asked about Stripe"


@pytest.mark.parametrize("command", ["run", "migrate", "doctor", "sweep"])
def test_a_database_file_without_a_folder_is_one_sentence_and_the_exit_code_is_2(run: Run, tmp_path: Path, command: str) -> None:
    code, said = run(command, DATABASE_URL=f"sqlite:///{tmp_path / 'missing' / 'doorman.db'}")
    assert (code, said) == (2, f"There is no folder {tmp_path / 'missing'} for the database. Make it, or change DATABASE_URL.\n")


def test_a_folder_in_place_of_the_database_file_is_said_to_be_one(run: Run, tmp_path: Path) -> None:
    assert run("migrate", DATABASE_URL=f"sqlite:///{tmp_path}") == (
        2,
        f"{tmp_path} is a folder, and the database is a file. Change DATABASE_URL.\n",
    )


def test_a_database_that_is_away_is_said_to_be(run: Run) -> None:
    code, said = run("migrate", DATABASE_URL=f"postgresql://me:canary@127.0.0.1:{free_port()}/doorman")
    assert code == 1
    assert "The database does not answer" in said


@pytest.mark.long
def test_a_port_that_is_taken_is_said_to_be(run: Run, environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["PORT"])))
        taken.listen()
        code, said = run("run")
    assert code == 1
    assert "Cannot listen on HOST and PORT: Address already in use. Choose others" in said


def test_a_host_that_is_no_address_is_one_sentence_and_the_exit_code_is_2(run: Run) -> None:
    code, said = run("run", HOST="nonsense.invalid")
    assert (code, said) == (2, "HOST must be an address of this machine, like 127.0.0.1, or 0.0.0.0 for every network.\n")


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_settings_file_that_is_not_text_is_one_sentence_and_the_exit_code_is_2(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / ".env").write_bytes(b"HOST=\xff\xfe\n")
    assert run(command) == (2, ".env is not text in UTF-8. Save it again in that encoding, or type it anew from .env.example.\n")


def test_it_serves_while_every_vendor_is_away_and_stops_when_asked(environment: dict[str, str], serving: subprocess.Popen[str]) -> None:
    assert answers(f"{environment['PUBLIC_URL']}/healthz", serving) == 200
    assert answers(f"{environment['PUBLIC_URL']}/readyz", serving) == 503
    serving.send_signal(signal.SIGTERM)
    code, said = ended(serving)
    assert code == 0, said
    assert "closing: nothing new is taken in" in said


@pytest.mark.long
def test_the_emulators_start_by_themselves_and_print_settings_that_are_complete(tmp_path: Path) -> None:
    bare = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    with start(bare, tmp_path, "sandbox") as process:
        assert process.stdout is not None
        printed: dict[str, str] = {}
        for line in process.stdout:
            name, separator, value = line.strip().partition("=")
            if not separator:
                break
            printed[name] = value
        process.send_signal(signal.SIGTERM)
        code, _ = ended(process)
    assert code == 0
    configuration = read_settings(printed)
    assert configuration.settings.clock_url.endswith("/clock")
    assert set(configuration.platforms) == set(installed())


def test_a_bundle_goes_from_one_database_into_another_and_comes_out_the_same(run: Run, tmp_path: Path) -> None:
    run("migrate")
    found_the_den(tmp_path)
    first, again, other = tmp_path / "first", tmp_path / "again", f"sqlite:///{tmp_path / 'other.db'}"
    assert run("export", str(first)) == (0, f"{first} has 2 rows. It names people: keep it as you keep a backup.\n")
    assert first.stat().st_mode & 0o777 == 0o600
    assert run("import", str(first), DATABASE_URL=other) == (0, "2 rows are in. Next: doorman doctor, then doorman run --grants-only.\n")
    run("export", str(again), DATABASE_URL=other)
    assert again.read_bytes() == first.read_bytes()
    code, said = run("import", str(first), DATABASE_URL=other)
    assert (code, said.startswith("This database has a community already")) == (1, True)


def test_a_bundle_of_a_community_that_is_not_there_is_refused_and_writes_no_file(run: Run, tmp_path: Path) -> None:
    run("migrate")
    said = "There is no community nobody. doorman doctor names them.\n"
    assert run("export", "--community", "nobody", str(tmp_path / "bundle")) == (1, said)
    assert not list(tmp_path.glob("bundle*"))


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), (b"\xff\xfe", "This file is not a bundle")])
def test_what_is_no_bundle_makes_no_database(run: Run, tmp_path: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        (tmp_path / "bundle").write_bytes(content)
    code, said = run("import", str(tmp_path / "bundle"))
    assert code == 1
    assert told in said
    assert not list(tmp_path.glob("doorman.db*"))
