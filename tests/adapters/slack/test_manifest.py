import json
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.slack import cli
from adapters.slack.manifest import manifest, yaml
from adapters.slack.scopes import BOT_SCOPES, EVENTS
from bots.commands import COMMANDS
from sandbox.slack.manifest import EVENT_SCOPES, read_manifest
from tests.adapters.slack.house import TABLE

SNAPSHOTS = Path(__file__).parent / "manifests"
SPECS = [command.spec for command in COMMANDS]
URL = "https://pay.example.com"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("signed", ["--url", URL + "/"]), ("socket", ["--socket"]), ("both", ["--url", URL, "--socket", "--command", "/club"])],
)
def test_the_printed_manifest_is_the_one_on_record(name: str, arguments: list[str]) -> None:
    printed = CliRunner().invoke(cli, ["manifest", *arguments], obj=TABLE, env={"PUBLIC_URL": None, "SLACK_COMMAND": None})

    assert printed.exit_code == 0, printed.output
    assert printed.output == (SNAPSHOTS / f"{name}.yaml").read_text()


def test_yaml_and_json_say_the_same() -> None:
    printed = CliRunner().invoke(cli, ["manifest", "--url", URL, "--json"], obj=SPECS)

    document = json.loads(printed.output)
    assert import_module("yaml").safe_load(yaml(document)) == document == manifest(SPECS, command="/doorman", url=URL)


def test_without_an_address_or_a_socket_it_says_what_to_choose() -> None:
    printed = CliRunner().invoke(cli, ["manifest"], obj=SPECS, env={"PUBLIC_URL": None})

    assert printed.exit_code == 2
    assert "--socket" in printed.output


def test_slack_takes_it_and_every_event_has_its_scope() -> None:
    read = read_manifest(manifest(SPECS, command="/doorman", url=URL))

    assert read.bot_scopes == set(BOT_SCOPES)
    assert {EVENT_SCOPES[event] for event in EVENTS} - {""} <= read.bot_scopes
    assert read.escaped == {"/doorman"}
    assert read.messages_tab


def test_nothing_is_asked_for_that_reads_what_people_write() -> None:
    assert not [scope for scope in BOT_SCOPES if "history" in scope or scope.startswith(("files", "search", "admin", "reactions"))]
    assert len(set(BOT_SCOPES)) == len(BOT_SCOPES)


def test_it_keeps_to_slacks_limits() -> None:
    (slash,) = manifest(SPECS * 40, command="/doorman", socket=True)["features"]["slash_commands"]

    assert len(slash["usage_hint"]) <= 1000
    assert len(slash["description"]) <= 140


def test_only_who_asks_for_it_gets_an_app_that_an_organisation_may_add() -> None:
    for more, allowed in (([], False), (["--organisation"], True)):
        printed = CliRunner().invoke(cli, ["manifest", "--url", URL, "--json", *more], obj=SPECS)
        assert read_manifest(json.loads(printed.output)).organisation is allowed
