"""What an operator may set, and what they are told when it cannot be right."""

import pytest
from pydantic import ValidationError
from yarl import URL

from adapters.discord import PERMISSIONS, Settings, install_url

GOOD = {"token": "the.bot.token", "client_id": "123456789012345678", "client_secret": "a-secret"}


def test_three_settings_are_required_and_no_more() -> None:
    assert Settings.required() == {"token", "client_id", "client_secret"}
    assert Settings.model_validate(GOOD).members_intent is False


def test_every_setting_explains_itself_in_one_line() -> None:
    for field in Settings.model_fields.values():
        assert field.description
        assert "\n" not in field.description


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("token", "  ", "is empty"),
        ("token", "two words", "copy it again"),
        ("client_secret", "", "is empty"),
        ("client_id", "my-app", "is a number of about 18 digits"),
        ("api_url", "https://discord.com/api", "must look like https://discord.com/api/v10"),
        ("api_url", "discord.com/api/v10", "must look like https://discord.com/api/v10"),
        ("api_url", "https:///api/v10", "must look like https://discord.com/api/v10"),
        ("api_url", "http://[::1/api/v10", "must look like https://discord.com/api/v10"),
        ("api_url", "http://127.0.0.1 /api/v10", "must look like https://discord.com/api/v10"),
        ("client_id", "\u0661\u0662\u0663", "is a number of about 18 digits"),
        ("gateway_url", "ws://", "name a host"),
        ("gateway_url", "ws://[::1", "name a host"),
        ("gateway_url", "https://gateway.discord.gg", "must start with ws:// or wss://"),
    ],
)
def test_a_setting_that_cannot_be_right_says_what_it_should_be(name: str, value: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Settings.model_validate(GOOD | {name: value})


def test_secrets_do_not_show() -> None:
    settings = Settings.model_validate(GOOD)

    assert "the.bot.token" not in repr(settings)
    assert "a-secret" not in repr(settings)


def test_what_people_paste_is_trimmed() -> None:
    settings = Settings.model_validate(GOOD | {"token": "Bot the.bot.token \n", "api_url": "http://127.0.0.1:1/api/v10/"})

    assert settings.token.get_secret_value() == "the.bot.token"
    assert settings.site == "http://127.0.0.1:1"


def test_the_bot_asks_for_two_permissions() -> None:
    url = URL(install_url(Settings.model_validate(GOOD)))

    assert PERMISSIONS.value == 268435457
    assert (url.host, url.path) == ("discord.com", "/oauth2/authorize")
    assert url.query["permissions"] == "268435457"
    assert url.query["scope"] == "bot applications.commands"
