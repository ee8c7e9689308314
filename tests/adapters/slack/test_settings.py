"""What an operator may set, and the one sentence they are told when it is not enough."""

import pytest
from pydantic import ValidationError

from adapters.slack.settings import NOT_SET_UP, Settings
from bots import settings as program

SOCKET = {"app_token": "xapp-1-A-1-a", "bot_token": "xoxb-1-2-b"}
SIGNED = {"signing_secret": "a" * 32, "client_id": "123.456", "client_secret": "b" * 32}


def sentences(**given: str) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(given)
    return [str(problem["msg"]) for problem in refused.value.errors()]


@pytest.mark.parametrize(
    "given",
    [
        SOCKET,
        SIGNED,
        {"app_token": "xapp-1", "client_id": "1.2", "client_secret": "s"},
        {"signing_secret": "s", "bot_token": "xoxb-1"},
        SOCKET | SIGNED,
    ],
)
def test_something_that_hears_and_something_that_speaks_are_enough(given: dict[str, str]) -> None:
    made = Settings.model_validate(given)

    assert made.socket_mode is ("app_token" in given)
    assert made.installs is ("client_id" in given)


def test_each_way_it_names_is_enough() -> None:
    both = SOCKET | SIGNED
    for way in Settings.ways:
        Settings.model_validate({name: both[name] for name in way})


def test_nothing_at_all_is_told_apart_from_too_little() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"command": "/fans"})

    (problem,) = refused.value.errors()
    assert problem["type"] == NOT_SET_UP == program.NOT_SET_UP
    assert "SLACK_SIGNING_SECRET, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET" in problem["msg"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"app_token": "xapp-1"}, "for one workspace, or SLACK_CLIENT_ID"),
        ({"signing_secret": "s"}, "for one workspace, or SLACK_CLIENT_ID"),
        ({"bot_token": "xoxb-1"}, "set SLACK_APP_TOKEN"),
        ({"client_id": "1.2", "client_secret": "s"}, "set SLACK_APP_TOKEN"),
        ({"client_id": "1.2"} | SOCKET, "belongs to SLACK_CLIENT_ID"),
        ({"client_secret": "s"} | SOCKET, "needs SLACK_CLIENT_ID"),
        (SOCKET | {"bot_token": "xapp-1"}, "must start with xoxb-"),
        (SOCKET | {"app_token": "xoxb-1"}, "must start with xapp-"),
        (SOCKET | {"scim_token": "xoxb-1"}, "must start with xoxp-"),
        (SIGNED | {"client_id": "A012"}, "two numbers with a dot"),
        (SIGNED | {"signing_secret": "two words"}, "copy it again"),
        (SOCKET | {"command": "doorman"}, "must be a slash and"),
        (SOCKET | {"api_url": "https://slack.com"}, "must look like https://slack.com/api/"),
    ],
)
def test_what_is_not_enough_or_cannot_be_right_costs_one_sentence(given: dict[str, str], says: str) -> None:
    (sentence,) = sentences(**given)

    assert says in sentence


def test_every_setting_explains_itself_in_one_line() -> None:
    for field in Settings.model_fields.values():
        assert field.description
        assert "\n" not in field.description


def test_secrets_do_not_show_and_what_people_paste_is_trimmed() -> None:
    made = Settings.model_validate(
        SOCKET | SIGNED | {"app_token": " xapp-1-A-1-a\n", "api_url": "http://127.0.0.1:1/api", "client_id": " 1.2 "}
    )

    assert not any(secret in repr(made) for secret in ("xapp-1", "xoxb-1", "a" * 32, "b" * 32))
    assert made.app_token is not None
    assert made.app_token.get_secret_value() == "xapp-1-A-1-a"
    assert (made.site, made.scim_url, made.client_id) == ("http://127.0.0.1:1", "http://127.0.0.1:1/scim/v2", "1.2")
    assert Settings.model_validate(SOCKET).site == "https://slack.com"
