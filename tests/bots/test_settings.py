from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from bots.platforms import Platform
from bots.settings import NOT_SET_UP, BadSettings, Configuration, read_settings
from core.ids import PlatformName


class Acme(BaseModel):
    token: SecretStr = Field(description="The token of Acme.")
    secret: SecretStr = Field(description="The secret of Acme.")
    api_url: str = Field(default="https://acme.example/api", description="Where Acme is.")
    intent: bool = Field(default=False, description="Whether Acme is meant.")


class Quux(BaseModel):
    """Complete in one of two ways, neither of which is required by itself."""

    ways: ClassVar = (("key",), ("code", "seal"))
    code: str = Field(default="", description="The code of Quux.")
    seal: str = Field(default="", description="The seal of Quux.")
    key: str = Field(default="", validate_default=True, description="The key of Quux.")

    @field_validator("key")
    @classmethod
    def _suffices(cls, value: str, info: ValidationInfo) -> str:
        given = [part for part in (value, *info.data.values()) if part]
        if not given:
            raise PydanticCustomError(NOT_SET_UP, "is missing: or set QUUX_CODE and QUUX_SEAL.")
        if not value and len(given) == 1:
            raise ValueError("is missing: one of QUUX_CODE and QUUX_SEAL is not enough.")
        return value


def never(*_args: object, **_kwargs: object) -> object:
    raise AssertionError("settings build nothing")


ACME = PlatformName("acme")
ZORG = PlatformName("zorg")
PLATFORMS = {name: Platform(name, name.capitalize(), Acme, never) for name in (ACME, ZORG)}  # type: ignore[arg-type]
GOOD = {
    "PUBLIC_URL": "https://join.example.com/",
    "SECRET_KEY": "a" * 32,
    "STRIPE_API_KEY": "sk_test_canary",
    "STRIPE_WEBHOOK_SECRET": "whsec_canary",
    "ACME_TOKEN": "acme-token-canary",
    "ACME_SECRET": "acme-secret-canary",
}
LOCAL = GOOD | {
    "PUBLIC_URL": "http://127.0.0.1:8080",
    "STRIPE_API_URL": "http://127.0.0.1:1",
    "ACME_API_URL": "http://localhost:2",
    "CLOCK_URL": "ws://[::1]:3/clock",
}


QUUX = PlatformName("quux")
WITH_QUUX = PLATFORMS | {QUUX: Platform(QUUX, "Quux", Quux, never)}  # type: ignore[arg-type]


def read(**changes: str) -> Configuration:
    return read_settings(GOOD | changes, platforms=PLATFORMS)


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as refused:
        read_settings(environ, platforms=PLATFORMS)
    return refused.value.problems


def test_what_is_not_set_has_its_default() -> None:
    settings = read().settings
    assert settings.database_url.get_secret_value() == "sqlite:///doorman.db"
    assert (settings.grace_days, settings.sweep_interval, settings.port, settings.log_format) == (5, 60, 8080, "console")


def test_an_address_loses_the_slash_at_its_end() -> None:
    assert read().settings.public_url == "https://join.example.com"


def test_an_address_in_capitals_is_the_same_in_small_letters() -> None:
    assert read(PUBLIC_URL="HTTPS://Join.Example.COM:8443/").settings.public_url == "https://join.example.com:8443"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost"])  # noqa: S104
def test_a_host_is_an_address_or_a_name(host: str) -> None:
    assert read(HOST=host).settings.host == host


def test_a_list_is_separated_by_commas_whatever_the_spaces() -> None:
    settings = read(STRIPE_API_KEY="sk_test_new , rk_test_old,").settings
    assert [key.get_secret_value() for key in settings.stripe_api_key] == ["sk_test_new", "rk_test_old"]


def test_everything_that_is_missing_is_named_at_once_with_what_it_is() -> None:
    found = problems({})
    assert [sentence.split()[0] for sentence in found[:4]] == ["PUBLIC_URL", "SECRET_KEY", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET"]
    assert found[4] == "No platform is set up: for Acme set ACME_TOKEN, ACME_SECRET or for Zorg set ZORG_TOKEN, ZORG_SECRET."
    assert len(found) == 5


def test_an_empty_setting_is_a_missing_one() -> None:
    assert problems(GOOD | {"PUBLIC_URL": ""})[0].startswith("PUBLIC_URL is missing")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://canary", "must start with sqlite:///"),
        ("DATABASE_URL", "sqlite://", "must name a file"),
        ("DATABASE_URL", "postgresql://me:canary@host:notaport/name", "must look like postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "postgresql://me:canary@host:70000/name", "must look like postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "postgresql://me:ca/n@ary@host:x/name", "%40"),
        ("DATABASE_URL", "postgresql://[::1/canary", "must look like postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "sqlite:///canary.db?timeout=soon", "without a question mark"),
        ("PUBLIC_URL", "https://canary:notaport", "with a number after the colon"),
        ("PUBLIC_URL", "https://canary:99999", "with a number after the colon"),
        ("PUBLIC_URL", "https://[canary", "must be an address like"),
        ("PUBLIC_URL", "https://me:canary@join.example.com", "must be an address like"),
        ("STRIPE_API_URL", "http://canary:notaport", "must be an address that starts with http://"),
        ("CLOCK_URL", "ws://canary:notaport", "must be an address that starts with ws://"),
        ("PUBLIC_URL", "https://join.example.com/canary", "without a path"),
        ("PUBLIC_URL", "https://join.example.com/canary/", "without a path"),
        ("PUBLIC_URL", "https://canary example.com", "must be an address like"),
        ("PUBLIC_URL", "https://canary.example.com ", "must be an address like"),
        ("PUBLIC_URL", "https://canary\t.example.com", "must be an address like"),
        ("STRIPE_API_URL", "http://canary :1", "must be an address that starts with http://"),
        ("HOST", "256.1.1.1", "must be an address of this machine, like 127.0.0.1"),
        ("HOST", "http://canary", "must be an address of this machine"),
        ("HOST", "canary canary", "must be an address of this machine"),
        ("HOST", "canary.invalid", "must be an address of this machine"),
        ("PUBLIC_URL", "http://join.example.com", "must start with https://"),
        ("PUBLIC_URL", "join.example.com", "must be an address like"),
        ("PORT", "canary", "valid integer"),
        ("PORT", "70000", "less than or equal to 65535"),
        ("SECRET_KEY", f"{'a' * 32},canary", "fewer than 32 characters"),
        ("SECRET_KEY", ",", "is empty"),
        ("STRIPE_API_KEY", "pk_test_canary", "starts with sk_ or rk_"),
        ("STRIPE_WEBHOOK_SECRET", "canary", "starts with whsec_"),
        ("STRIPE_API_KEY", "sk_", "copied whole"),
        ("STRIPE_API_KEY", "sk_test_canary canary", "copied whole"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_", "copied whole"),
        ("CLOCK_URL", "ws://", "starts with ws://"),
        ("STRIPE_API_URL", "ftp://canary", "starts with http:// or https://"),
        ("CLOCK_URL", "http://canary", "starts with ws://"),
        ("GRACE_DAYS", "-1", "greater than or equal to 0"),
        ("DEFAULT_CURRENCY", "canary", "three-letter currency code"),
        ("SWEEP_INTERVAL", "0", "greater than 0"),
        ("LOG_LEVEL", "canary", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("LOG_FORMAT", "canary", "'console' or 'json'"),
        ("ADAPTERS", "acme,nowhere", "which is not installed. There is: acme, zorg"),
        ("ACME_INTENT", "canary", "valid boolean"),
    ],
)
def test_a_malformed_setting_is_one_sentence_that_does_not_repeat_it(name: str, value: str, says: str) -> None:
    (sentence,) = problems(GOOD | {name: value})
    assert sentence.startswith(f"{name} ")
    assert says in sentence
    assert sentence.endswith((".", "openssl rand -hex 32"))
    assert "canary" not in sentence


def test_only_platforms_whose_settings_are_there_are_started() -> None:
    assert list(read().platforms) == [ACME]


def test_a_platform_that_is_half_set_up_is_a_mistake() -> None:
    (sentence,) = problems(GOOD | {"ZORG_TOKEN": "t"})
    assert sentence == "ZORG_SECRET is missing: The secret of Acme."


@pytest.mark.parametrize("change", [{"QUUX_KEY": "k"}, {"QUUX_CODE": "c", "QUUX_SEAL": "s"}])
def test_a_platform_with_several_ways_is_started_when_one_is_complete(change: dict[str, str]) -> None:
    assert list(read_settings(GOOD | change, platforms=WITH_QUUX).platforms) == [ACME, QUUX]


def test_a_platform_with_several_ways_is_left_out_when_nothing_of_any_is_there() -> None:
    assert list(read_settings(GOOD, platforms=WITH_QUUX).platforms) == [ACME]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"QUUX_CODE": "c"}, "QUUX_KEY is missing: one of QUUX_CODE and QUUX_SEAL is not enough."),
        ({"ADAPTERS": "quux"}, "QUUX_KEY is missing: or set QUUX_CODE and QUUX_SEAL."),
    ],
)
def test_half_a_way_and_one_that_was_asked_for_are_mistakes(change: dict[str, str], says: str) -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings(GOOD | change, platforms=WITH_QUUX)
    assert refused.value.problems == [says]


def test_every_way_is_named_when_there_is_no_platform() -> None:
    with pytest.raises(BadSettings, match="for Quux set QUUX_KEY, or QUUX_CODE, QUUX_SEAL"):
        read_settings({}, platforms=WITH_QUUX)


def test_a_platform_that_is_asked_for_must_be_set_up() -> None:
    assert problems(GOOD | {"ADAPTERS": "zorg"}) == [
        "ZORG_TOKEN is missing: The token of Acme.",
        "ZORG_SECRET is missing: The secret of Acme.",
    ]


def test_a_platform_that_is_not_asked_for_is_not_started() -> None:
    both = {"ZORG_TOKEN": "t", "ZORG_SECRET": "s", "ADAPTERS": "zorg"}
    assert list(read(**both).platforms) == [ZORG]


def test_a_platform_s_troubles_are_told_together_with_our_own() -> None:
    assert [sentence.split()[0] for sentence in problems(GOOD | {"PORT": "x", "ACME_INTENT": "x"})] == ["PORT", "ACME_INTENT"]


def test_a_clock_is_followed_when_everything_is_local() -> None:
    assert read_settings(LOCAL, platforms=PLATFORMS).settings.clock_url == "ws://[::1]:3/clock"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_API_URL", ""),
        ("STRIPE_API_URL", "https://api.stripe.example"),
        ("ACME_API_URL", ""),
        ("ACME_API_URL", "http://127.0.0.1.example.com"),
        ("CLOCK_URL", "ws://clock.example"),
    ],
)
def test_a_clock_is_refused_when_anything_real_is_behind_an_address(name: str, value: str) -> None:
    (sentence,) = problems(LOCAL | {name: value})
    others = "" if name == "CLOCK_URL" else " while CLOCK_URL is set"
    assert sentence == f"{name} must be a local address{others}: a followed clock is for the sandbox only."


def test_every_secret_is_known_to_whoever_masks_them() -> None:
    found = read(STRIPE_API_KEY="sk_test_one,sk_test_two").secrets()
    assert found >= {"a" * 32, "sk_test_one", "sk_test_two", "whsec_canary", "acme-token-canary", "acme-secret-canary"}


def test_nothing_secret_shows_when_settings_are_printed() -> None:
    shown = repr(read())
    assert not [secret for secret in ("canary", "a" * 32) if secret in shown]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    def set_to(values: dict[str, str]) -> None:
        for name in GOOD:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_to


def test_the_environment_wins_over_the_file(environment: Callable[[dict[str, str]], None], tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in (GOOD | {"PORT": "1111", "HOST": "0.0.0.0"}).items()))  # noqa: S104
    environment({"PORT": "2222", "ACME_INTENT": "yes"})
    found = read_settings(env_file=file, platforms=PLATFORMS)
    acme = found.platforms[ACME].settings
    assert (found.settings.port, found.settings.host) == (2222, "0.0.0.0")  # noqa: S104
    assert isinstance(acme, Acme)
    assert (acme.intent, acme.token.get_secret_value()) == (True, "acme-token-canary")


def test_a_file_that_is_not_there_is_no_mistake(environment: Callable[[dict[str, str]], None], tmp_path: Path) -> None:
    environment(GOOD)
    assert read_settings(env_file=tmp_path / "none", platforms=PLATFORMS).settings.public_url == "https://join.example.com"


def test_a_file_that_is_not_text_is_one_sentence(environment: Callable[[dict[str, str]], None], tmp_path: Path) -> None:
    environment(GOOD)
    file = tmp_path / ".env"
    file.write_text("HOST=127.0.0.1 # canary", "utf-16")
    with pytest.raises(BadSettings) as refused:
        read_settings(env_file=file, platforms=PLATFORMS)
    assert refused.value.problems == [
        f"{file} is not text in UTF-8. Save it again in that encoding, or type it anew from .env.example.",
    ]
