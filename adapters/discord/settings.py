"""What an operator sets for Discord; read under the prefix ``DISCORD_``, each field's description is its line in .env.example."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from yarl import URL

API_URL = "https://discord.com/api/v10"


class Settings(BaseModel):
    """One Discord application. Fields without a default are required: ``Settings.required()`` names them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = Field(description="The bot's token: Discord Developer Portal, your application, Bot, Reset Token.")
    client_id: str = Field(description="The application's id: Developer Portal, your application, General Information, Application ID.")
    client_secret: SecretStr = Field(
        description="The application's OAuth2 secret: Developer Portal, your application, OAuth2, Client Secret."
    )
    members_intent: bool = Field(
        default=False,
        description="true when the Server Members Intent is on in the Developer Portal: joins and role holders are then seen at once.",
    )
    api_url: str = Field(default=API_URL, description="Where Discord's API is; change it only for a local server (ends in /api/v10).")
    gateway_url: str = Field(default="", description="Where Discord's gateway is; set it only for a local server (ws://...).")

    @classmethod
    def required(cls) -> frozenset[str]:
        """Return the names of the fields without which the adapter cannot be built."""
        return frozenset(name for name, field in cls.model_fields.items() if field.is_required())

    @field_validator("token", "client_secret")
    @classmethod
    def _says_something(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value().strip().removeprefix("Bot ")
        if not secret:
            raise ValueError("is empty: copy it from the Developer Portal.")
        if any(character.isspace() for character in secret):
            raise ValueError("has a space or line break in it: copy it again from the Developer Portal.")
        return SecretStr(secret)

    @field_validator("client_id")
    @classmethod
    def _is_a_snowflake(cls, value: str) -> str:
        if not (value.strip().isascii() and value.strip().isdigit()):
            raise ValueError("is not an application id: it is a number of about 18 digits.")
        return value.strip()

    @field_validator("api_url")
    @classmethod
    def _is_the_api(cls, value: str) -> str:
        trimmed = value.rstrip("/")
        if not _reachable(trimmed, {"http", "https"}) or not trimmed.endswith("/api/v10"):
            raise ValueError("must look like https://discord.com/api/v10.")
        return trimmed

    @field_validator("gateway_url")
    @classmethod
    def _is_a_websocket(cls, value: str) -> str:
        if value and not _reachable(value, {"ws", "wss"}):
            raise ValueError("must start with ws:// or wss:// and name a host, or be left out.")
        return value

    @property
    def site(self) -> str:
        """Where people open Discord: ``https://discord.com``, or the local server's origin."""
        return self.api_url.removesuffix("/api/v10")


def _reachable(value: str, schemes: set[str]) -> bool:
    """Whether ``value`` is an address with one of ``schemes`` and a host."""
    try:
        url = URL(value)
        return url.scheme in schemes and bool(url.host) and not any(character.isspace() for character in value)
    except ValueError:
        return False
