"""An installed package is found by its entry point, set up by its prefix, and adds its own commands."""

import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest

from bots.platforms import Platform, installed
from bots.settings import BadSettings, read_settings
from core.ids import PlatformName
from tests.fixtures.veranda.emulator import APP_ID, SIGNING_SECRET, TOKEN

OWN = {
    "PUBLIC_URL": "https://join.example.com",
    "SECRET_KEY": "a" * 32,
    "STRIPE_API_KEY": "sk_test_made_up",
    "STRIPE_WEBHOOK_SECRET": "whsec_made_up",
}
THEIRS = {"VERANDA_APP_ID": APP_ID, "VERANDA_TOKEN": TOKEN, "VERANDA_SIGNING_SECRET": SIGNING_SECRET}
Doorman = Callable[..., str]


def test_an_installed_package_is_found_by_its_entry_point(veranda: Platform, site: Path) -> None:
    assert Path(str(distribution("doorman-veranda").locate_file(""))) == site
    assert (veranda.name, veranda.label) == ("veranda", "Veranda")
    assert sys.modules[veranda.settings.__module__].__file__ == str(site / "doorman_veranda" / "settings.py")


def test_without_the_package_there_is_no_such_platform() -> None:
    assert PlatformName("veranda") not in installed()


def test_settings_are_read_under_the_platforms_prefix(platforms: dict[PlatformName, Platform]) -> None:
    configuration = read_settings(OWN | THEIRS, platforms=platforms)

    assert list(configuration.platforms) == ["veranda"]
    assert dict(configuration.platforms[PlatformName("veranda")].settings)["app_id"] == APP_ID
    assert {TOKEN, SIGNING_SECRET} <= configuration.secrets()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"VERANDA_TOKEN": ""}, "VERANDA_TOKEN is missing: The app's token: Veranda, Apps, your app, New Token."),
        ({"VERANDA_API_URL": "veranda.example"}, "VERANDA_API_URL must look like https://veranda.example/api."),
    ],
)
def test_what_is_missing_or_malformed_is_said_in_a_sentence(
    platforms: dict[PlatformName, Platform], changes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings(OWN | THEIRS | changes, platforms=platforms)
    assert refused.value.problems == [sentence]


def test_asked_for_and_not_set_up_it_names_all_it_takes(platforms: dict[PlatformName, Platform]) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings(OWN | {"ADAPTERS": "veranda"}, platforms=platforms)
    assert [sentence.split()[0] for sentence in refused.value.problems] == list(THEIRS)


def test_the_programs_help_has_the_platforms_commands(doorman: Doorman) -> None:
    assert "What only Veranda needs." in doorman("--help")
    assert doorman("veranda", "addresses", "--url", "https://join.example.com/").splitlines() == [
        "Events: https://join.example.com/veranda/events",
        "Commands: https://join.example.com/veranda/commands",
        "Sign-in: https://join.example.com/oauth/veranda/callback",
    ]
