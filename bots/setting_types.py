"""What a setting may be. A check's message goes on where the setting's name stops, and never repeats the value."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from core.money import CURRENCIES
from storage.engine import normalise

MIN_SECRET_KEY = 32
"""Characters of each key in SECRET_KEY."""
MIN_STRIPE_SECRET = 10
"""Characters of whatever Stripe calls a secret; its own are longer by far."""
_HTTP, _SOCKET = frozenset({"http", "https"}), frozenset({"ws", "wss"})


def _listed(value: object) -> object:
    return tuple(part for part in (piece.strip() for piece in value.split(",")) if part) if isinstance(value, str) else value


def _each(check: Callable[[str], str | None]) -> AfterValidator:
    """Refuse an empty list, and one with a secret that ``check`` finds something wrong with."""

    def refuse(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not secrets:
            raise ValueError("is empty.")
        for problem in filter(None, (check(secret.get_secret_value()) for secret in secrets)):
            raise ValueError(problem)
        return secrets

    return AfterValidator(refuse)


def loopback(url: str) -> bool:
    """Say whether ``url`` stays on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _database(value: SecretStr) -> SecretStr:
    normalise(value.get_secret_value())
    return value


def _host(value: str) -> str:
    """Take addresses alone: what a name leads to would be known only when it is listened on."""
    if value == "localhost":
        return value
    try:
        ip_address(value)
    except ValueError:
        raise ValueError("must be an address of this machine, like 127.0.0.1, or 0.0.0.0 for every network.") from None
    return value


def _address(value: str, schemes: frozenset[str]) -> SplitResult | None:
    """Return the parts of an address with one of ``schemes``; None when it is not one that can be reached."""
    if any(character.isspace() or not character.isprintable() for character in value):
        return None
    try:
        parts = urlsplit(value)
        port = parts.port  # read only now: a port that is no number is found out by asking for it
    except ValueError:
        return None
    return parts if parts.scheme in schemes and parts.hostname and port != 0 else None


def _public(value: str) -> str:
    parts = _address(value, _HTTP)
    if parts is None or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must be an address like https://join.example.com, with a number after the colon when a port is needed.")
    if parts.path.strip("/"):
        raise ValueError("must be an address without a path, like https://join.example.com: the pages are served right below it.")
    if parts.scheme == "http" and not loopback(value):
        raise ValueError("must start with https://, because people sign in and pay through it.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _web(value: str) -> str:
    if value and _address(value, _HTTP) is None:
        raise ValueError("must be an address that starts with http:// or https://, or be left out.")
    return value.rstrip("/")


def _socket(value: str) -> str:
    if value and _address(value, _SOCKET) is None:
        raise ValueError("must be an address that starts with ws://, or be left out.")
    return value


def _currency(value: str) -> str:
    if value.upper() not in CURRENCIES:
        raise ValueError("must be a three-letter currency code, like USD or EUR.")
    return value.upper()


def _key(value: str) -> str | None:
    return (
        None
        if len(value) >= MIN_SECRET_KEY
        else f"has a key of fewer than {MIN_SECRET_KEY} characters. Make one with: openssl rand -hex 32"
    )


def _stripe_key(value: str) -> str | None:
    whole = value.startswith(("sk_", "rk_")) and _whole(value)
    return None if whole else "must be a secret or restricted key, copied whole: it starts with sk_ or rk_."


def _signing_secret(value: str) -> str | None:
    whole = value.startswith("whsec_") and _whole(value)
    return None if whole else "must be a webhook endpoint's signing secret, copied whole: it starts with whsec_."


def _whole(value: str) -> bool:
    """Whether more than the beginning was copied, and nothing with it."""
    return len(value) >= MIN_STRIPE_SECRET and value.isascii() and not any(character.isspace() for character in value)


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
SecretKeys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed), _each(_key)]
StripeKeys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed), _each(_stripe_key)]
SigningSecrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed), _each(_signing_secret)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
Host = Annotated[str, AfterValidator(_host)]
PublicUrl = Annotated[str, AfterValidator(_public)]
WebUrl = Annotated[str, AfterValidator(_web)]
SocketUrl = Annotated[str, AfterValidator(_socket)]
Currency = Annotated[str, AfterValidator(_currency)]
