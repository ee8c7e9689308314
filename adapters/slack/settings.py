"""What an operator sets for Slack; read under the prefix ``SLACK_``, each field's description is its line in .env.example."""

import re
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from yarl import URL

API_URL = "https://slack.com/api/"
NOT_SET_UP = "not_set_up"
"""The type of the one error when nothing is set at all: then this platform is simply not used."""
_COMMAND = re.compile(r"/[a-z0-9_\-]{1,31}")
_BEGINNINGS = {"app_token": ("xapp-",), "bot_token": ("xoxb-", "xoxe.xoxb-"), "admin_token": ("xoxp-",), "scim_token": ("xoxp-",)}


class Settings(BaseModel):
    """One Slack app. No field is required by itself: one of ``ways`` must be complete."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ways: ClassVar[tuple[tuple[str, ...], ...]] = (("app_token", "bot_token"), ("signing_secret", "client_id", "client_secret"))
    """What is enough, the easier way first: Socket Mode for one workspace, or signed requests for as many as install the app."""

    signing_secret: SecretStr | None = Field(
        default=None,
        description="Verifies requests to PUBLIC_URL/slack/events: api.slack.com/apps, your app, Basic Information, Signing Secret.",
    )
    client_id: str = Field(
        default="", description="For /slack/install and Sign in with Slack: your app, Basic Information, Client ID (digits, dot, digits)."
    )
    client_secret: SecretStr | None = Field(
        default=None, validate_default=True, description="Belongs to SLACK_CLIENT_ID: your app, Basic Information, Client Secret."
    )
    app_token: SecretStr | None = Field(
        default=None,
        description="Socket Mode, for a machine that Slack cannot reach: your app, Basic Information, App-Level Tokens (xapp-...).",
    )
    bot_token: SecretStr | None = Field(
        default=None,
        validate_default=True,
        description="Serves one workspace without /slack/install: your app, Install App, Bot User OAuth Token (xoxb-...).",
    )
    admin_token: SecretStr | None = Field(
        default=None,
        description="Enterprise only: an organisation owner's token with admin.users:write (xoxp-...), to invite payers by e-mail.",
    )
    scim_token: SecretStr | None = Field(
        default=None,
        description=(
            "Business+ and Enterprise: an owner's token with the scope admin (xoxp-...). With it a person whose expired channel Slack "
            "will not let us take is deactivated in the whole workspace, and brought back when they pay again; leave it out if that is "
            "too much."
        ),
    )
    command: str = Field(default="/doorman", description="The slash command everything is asked with, as in the app's manifest.")
    api_url: str = Field(default=API_URL, description="Where Slack's API is; change it only for a local server (ends in /api/).")

    @field_validator("signing_secret", "client_secret", "app_token", "bot_token", "admin_token", "scim_token")
    @classmethod
    def _looks_right(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        secret = value.get_secret_value().strip() if value is not None else ""
        if not secret:
            return None
        if any(character.isspace() for character in secret):
            raise ValueError("has a space or line break in it: copy it again from api.slack.com/apps.")
        beginnings = _BEGINNINGS.get(info.field_name or "", ("",))
        if not secret.startswith(beginnings):
            raise ValueError(f"is another kind of secret: it must start with {beginnings[0]}.")
        return SecretStr(secret)

    @field_validator("client_id")
    @classmethod
    def _is_a_client_id(cls, value: str) -> str:
        if value and not re.fullmatch(r"\d+\.\d+", value.strip()):
            raise ValueError("is not a client id: it is two numbers with a dot between.")
        return value.strip()

    @field_validator("command")
    @classmethod
    def _is_a_command(cls, value: str) -> str:
        name = value.strip().lower()
        if not _COMMAND.fullmatch(name):
            raise ValueError("must be a slash and up to 31 small letters, digits, dashes or underscores, like /doorman.")
        return name

    @field_validator("api_url")
    @classmethod
    def _is_the_api(cls, value: str) -> str:
        address = value.rstrip("/") + "/"
        if URL(address).scheme not in {"http", "https"} or not address.endswith("/api/"):
            raise ValueError("must look like https://slack.com/api/.")
        return address

    @field_validator("client_secret")
    @classmethod
    def _has_its_id(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        client_id = info.data.get("client_id")
        if client_id and value is None:
            raise ValueError("is missing: it belongs to SLACK_CLIENT_ID.")
        if value is not None and client_id == "":
            raise ValueError("needs SLACK_CLIENT_ID beside it.")
        return value

    @field_validator("bot_token")
    @classmethod
    def _makes_a_way(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Refuse what is not enough to work with; a field that is itself amiss has been named already."""
        if not {"signing_secret", "client_secret", "app_token"} <= info.data.keys():
            return value
        hears, installs = info.data["app_token"] or info.data["signing_secret"], info.data["client_secret"]
        if not (hears or installs or value):
            raise PydanticCustomError(
                NOT_SET_UP, "is missing: set it with SLACK_APP_TOKEN, or set SLACK_SIGNING_SECRET, SLACK_CLIENT_ID and SLACK_CLIENT_SECRET."
            )
        if not hears:
            raise ValueError("or an installed workspace cannot reach us: set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET too.")
        if not (installs or value):
            raise ValueError("is missing: set it for one workspace, or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET for many.")
        return value

    @property
    def site(self) -> str:
        """Where people meet Slack: ``https://slack.com``, or the local server's origin."""
        return self.api_url.removesuffix("/api/")

    @property
    def at_home(self) -> bool:
        """Whether this is Slack itself, which has hosts of their own for this and that, and no local server."""
        return self.api_url == API_URL

    @property
    def scim_url(self) -> str:
        """Where accounts are managed; Slack has it on a host of its own."""
        return "https://api.slack.com/scim/v2" if self.at_home else f"{self.site}/scim/v2"

    @property
    def socket_mode(self) -> bool:
        """Whether requests come over a socket we open, not to an address of ours."""
        return self.app_token is not None

    @property
    def installs(self) -> bool:
        """Whether workspaces can install the app from our page, and people sign in."""
        return self.client_secret is not None
