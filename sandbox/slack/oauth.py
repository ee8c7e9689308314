"""Authorisation codes, for installing (OAuth v2) and for Sign in with Slack. No pages here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from sandbox.slack.errors import RefusedError
from sandbox.slack.ids import Ids

CODE_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Code:
    """What somebody allowed, on its way to be exchanged. ``openid``: for signing in; ``nonce`` belongs to that."""

    team_id: str
    user_id: str
    bot_scopes: frozenset[str]
    user_scopes: frozenset[str]
    redirect_uri: str
    expires_at: datetime
    openid: bool = False
    nonce: str | None = None


class Codes:
    """Keeps codes until they are used, once, or too old."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self._codes: dict[str, Code] = {}
        self._used: set[str] = set()

    def expiry(self) -> datetime:
        """Return when a code made now ends."""
        return self._clock.now() + CODE_LIFE

    def grant(self, code: Code) -> str:
        """Keep ``code`` and return what stands for it."""
        value = f"{self._ids.digits(12)}.{self._ids.digits(13)}.{self._ids.hexadecimal(64)}"
        self._codes[value] = code
        return value

    def take(self, value: str, redirect_uri: str | None, *, openid: bool) -> Code:
        """Return what ``value`` stands for, once, to whoever names the redirect URI it was made for."""
        found = self._codes.pop(value, None)
        if found is None or found.openid is not openid:
            raise RefusedError("code_already_used" if value in self._used else "invalid_code")
        self._used.add(value)
        if found.expires_at <= self._clock.now():
            raise RefusedError("invalid_code")
        if redirect_uri is not None and redirect_uri != found.redirect_uri:
            raise RefusedError("bad_redirect_uri")
        return found
