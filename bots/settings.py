"""What an operator sets: the product's own settings here, each platform's under its own prefix. The only reader of the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bots.platforms import Platform, installed
from bots.setting_types import (
    Currency,
    DatabaseUrl,
    Host,
    Names,
    PublicUrl,
    SecretKeys,
    SigningSecrets,
    SocketUrl,
    StripeKeys,
    WebUrl,
    loopback,
)
from core.ids import PlatformName

ENV_FILE = Path(".env")
NOT_SET_UP = "not_set_up"
"""The type of the error of a platform's settings that have several ways to be complete and nothing at all of any."""


class BadSettings(Exception):  # noqa: N818 - nobody erred: something is to be set
    """Settings are missing or malformed. ``problems`` holds one sentence for each; none repeats a value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """The product's own settings. Each field's description is its line in .env.example; one without a default is required."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, hide_input_in_errors=True, frozen=True)

    database_url: DatabaseUrl = Field(
        default=SecretStr("sqlite:///doorman.db"),
        description="The database: sqlite:///file.db for one process on one machine, or postgresql://user:password@host/name.",
    )
    public_url: PublicUrl = Field(
        description="Where people reach this program from outside, like https://join.example.com; links and redirects start with it."
    )
    host: Host = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every network, as in a container.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on.")
    secret_key: SecretKeys = Field(
        description="Keys for secrets at rest, comma-separated: the first encrypts, all decrypt. Make one with: openssl rand -hex 32"
    )
    adapters: Names = Field(
        default=(), description="Platforms to start, comma-separated; left out: every one whose required settings are there."
    )
    stripe_api_key: StripeKeys = Field(
        description="Stripe's secret or restricted key (sk_... or rk_...); two, comma-separated, while one is being rolled."
    )
    stripe_webhook_secret: SigningSecrets = Field(
        description="Signing secret of the endpoint at PUBLIC_URL/webhooks/stripe (whsec_...); several, comma-separated, while rolling."
    )
    stripe_api_url: WebUrl = Field(default="", description="Where Stripe's API is; set it only for a local server.")
    clock_url: SocketUrl = Field(
        default="", description="A sandbox's clock to follow (ws://...); refused unless every other vendor address is local too."
    )
    grace_days: int = Field(
        default=5, ge=0, le=21, description="Days a member keeps access after a renewal failed, unless their community says otherwise."
    )
    default_currency: Currency = Field(default="USD", description="Currency of a new community until its creator sets another.")
    sweep_interval: float = Field(default=60, gt=0, le=86_400, description="Seconds between two looks at what is due.")
    auto_migrate: bool = Field(default=True, description="false when `doorman run` shall not bring the database up to date by itself.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: Literal["console", "json"] = Field(default="console", description="console for people, json for machines.")

    @property
    def sweep_every(self) -> timedelta:
        """How long between two sweeps."""
        return timedelta(seconds=self.sweep_interval)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A platform and the settings it will be built with."""

    platform: Platform
    settings: BaseModel


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an operator set, checked."""

    settings: Settings
    platforms: Mapping[PlatformName, Chosen]

    def secrets(self) -> frozenset[str]:
        """Return every secret value, for the log to mask."""
        models = (self.settings, *(chosen.settings for chosen in self.platforms.values()))
        return frozenset(secret for model in models for value in dict(model).values() for secret in _secret_values(value))


def _secret_values(value: object) -> list[str]:
    if isinstance(value, SecretStr):
        return [value.get_secret_value()]
    return [secret for item in value for secret in _secret_values(item)] if isinstance(value, tuple) else []


def read_settings(
    environ: Mapping[str, str] | None = None, *, env_file: Path | None = ENV_FILE, platforms: Mapping[PlatformName, Platform] | None = None
) -> Configuration:
    """Read and check everything: from the process's environment and ``env_file``, or from ``environ`` alone when it is given.

    Raises BadSettings with a sentence for each setting that is missing or malformed, all of them at once.
    """
    source = _Source(environ, _readable(env_file) if environ is None else None)
    found = installed() if platforms is None else platforms
    own, problems = source.read(Settings)
    wanted = source.read(_Choice)[0].adapters
    chosen, troubles = _choose(source, found, wanted)
    problems += troubles
    if not chosen and not troubles:
        problems.append(f"No platform is set up: {' or '.join(map(_what_it_takes, found.values())) or 'install an adapter'}.")
    if own and own.clock_url and not problems:
        problems += _not_local(own, chosen)
    if own is None or problems:
        raise BadSettings(problems)
    return Configuration(own, chosen)


def _readable(env_file: Path | None) -> Path | None:
    """Return the file; BadSettings when it is there and cannot be read as text."""
    if env_file is None or not env_file.is_file():
        return env_file
    try:
        env_file.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadSettings(
            [f"{env_file} is not text in UTF-8. Save it again in that encoding, or type it anew from .env.example."]
        ) from None
    except OSError as error:
        raise BadSettings([f"{env_file} cannot be read: {error.strerror}. Let whoever starts this program read it."]) from None
    return env_file


class _Choice(BaseModel):
    """Read apart, so that a platform's settings are looked at even when the product's own are amiss."""

    adapters: Names = ()


def _choose(
    source: "_Source", found: Mapping[PlatformName, Platform], wanted: tuple[str, ...]
) -> tuple[dict[PlatformName, Chosen], list[str]]:
    chosen = {}
    problems = [
        f"ADAPTERS names “{name}”, which is not installed. There is: {', '.join(found) or 'none'}." for name in wanted if name not in found
    ]
    for name, platform in found.items():
        if wanted and name not in wanted:
            continue
        model, troubles = source.read(platform.settings, f"{name}_", optional=name not in wanted)
        problems += troubles
        if model is not None:
            chosen[name] = Chosen(platform, model)
    return chosen, problems


@dataclass(frozen=True, slots=True)
class _Source:
    environ: Mapping[str, str] | None
    env_file: Path | None

    def read(self, model: type[BaseModel], prefix: str = "", *, optional: bool = False) -> tuple[Any, list[str]]:
        """Return ``model`` filled in, or None and why; ``optional`` and none of what it requires there: None and nothing."""
        reader = _reader(model, prefix, self.env_file)
        try:
            return (reader() if self.environ is None else reader.model_validate(self._given(reader, prefix))), []
        except ValidationError as error:
            missing = {str(problem["loc"][0]) for problem in error.errors() if problem["type"] in {"missing", NOT_SET_UP}}
            required = {name for name, field in model.model_fields.items() if field.is_required()}
            if optional and missing and missing >= required:
                return None, []
            return None, [_sentence(model, prefix, dict(problem)) for problem in error.errors()]

    def _given(self, model: type[BaseModel], prefix: str) -> dict[str, str]:
        names = {f"{prefix}{name}".upper(): name for name in model.model_fields}
        return {names[key.upper()]: value for key, value in (self.environ or {}).items() if key.upper() in names and value}


@cache  # building a model takes far longer than filling it in
def _reader(model: type[BaseModel], prefix: str, env_file: Path | None) -> type[BaseSettings]:
    """Return ``model`` as it is read under ``prefix``."""
    config = SettingsConfigDict(**{**Settings.model_config, "env_prefix": prefix, "env_file": env_file, "env_file_encoding": "utf-8"})
    bases = (model,) if issubclass(model, BaseSettings) else (model, BaseSettings)
    return type(model.__name__, bases, {"model_config": config})


def _sentence(model: type[BaseModel], prefix: str, problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0])
    variable = f"{prefix}{name}".upper()
    if problem["type"] == "missing":
        return f"{variable} is missing: {model.model_fields[name].description}"
    said = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"{variable} {said}" if said.endswith((".", "32")) else f"{variable} {said}."


def _what_it_takes(platform: Platform) -> str:
    required = tuple(name for name, field in platform.settings.model_fields.items() if field.is_required())
    ways = getattr(platform.settings, "ways", (required,))
    written = (", ".join(f"{platform.name}_{name}".upper() for name in way) for way in ways)
    return f"for {platform.label} set {', or '.join(written)}"


def _not_local(own: Settings, chosen: Mapping[PlatformName, Chosen]) -> list[str]:
    urls = {"STRIPE_API_URL": own.stripe_api_url, "CLOCK_URL": own.clock_url}
    for name, entry in chosen.items():
        urls |= {f"{name}_{field}".upper(): str(value) for field, value in dict(entry.settings).items() if field.endswith("_url")}
    return [
        f"{name} must be a local address{'' if name == 'CLOCK_URL' else ' while CLOCK_URL is set'}: "
        "a followed clock is for the sandbox only."
        for name, url in urls.items()
        if not loopback(url)
    ]
