"""OAuth2 as https://discord.com/developers/docs/topics/oauth2 has it: codes, tokens, refresh, revocation. No pages here."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from sandbox.discord.errors import Payload
from sandbox.discord.ids import Ids

CODE_LIFE, TOKEN_LIFE = timedelta(minutes=10), timedelta(days=7)
SCOPES = frozenset(
    {
        "identify",
        "email",
        "guilds",
        "guilds.join",
        "guilds.members.read",
        "connections",
        "bot",
        "applications.commands",
        "role_connections.write",
    }
)


class TokenError(Exception):
    """The token endpoint's refusal, in OAuth2's own words."""

    def __init__(self, error: str, description: str | None = None, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status

    def payload(self) -> Payload:
        """Return the JSON body."""
        return {"error": self.error} | ({"error_description": self.description} if self.description else {})


@dataclass(slots=True)
class Authorization:
    """What a person allowed our app, and the tokens that stand for it."""

    user_id: int
    scopes: tuple[str, ...]
    access_token: str
    refresh_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Code:
    """An authorisation code on its way to be exchanged."""

    user_id: int
    scopes: tuple[str, ...]
    redirect_uri: str
    expires_at: datetime


class OAuth:
    """Every code and token of the one app."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._codes: dict[str, Code] = {}
        self._by_access: dict[str, Authorization] = {}
        self._by_refresh: dict[str, Authorization] = {}
        self._allowed: dict[int, set[str]] = {}

    def authorised_people(self) -> int:
        """Return how many people have allowed the app anything."""
        return len(self._allowed)

    def has_allowed(self, user_id: int, scopes: tuple[str, ...]) -> bool:
        """Whether ``prompt=none`` may pass this person by."""
        return set(scopes) <= self._allowed.get(user_id, set())

    def grant(self, user_id: int, scopes: tuple[str, ...], redirect_uri: str) -> str:
        """Return a code for what the person just allowed."""
        self._allowed.setdefault(user_id, set()).update(scopes)
        code = self._ids.secret(30)
        self._codes[code] = Code(user_id, scopes, redirect_uri, self._clock.now() + CODE_LIFE)
        return code

    def exchange(self, code: str, redirect_uri: str) -> Authorization:
        """Turn a code into tokens, once, for the redirect URI it was made for."""
        found = self._codes.pop(code, None)
        if found is None or found.expires_at <= self._clock.now():
            raise TokenError("invalid_grant", 'Invalid "code" in request.')
        if found.redirect_uri != redirect_uri:
            raise TokenError("invalid_grant", 'Invalid "redirect_uri" in request.')
        return self._issue(found.user_id, found.scopes)

    def refresh(self, refresh_token: str) -> Authorization:
        """Turn a refresh token into new tokens; the old pair is dead afterwards."""
        old = self._by_refresh.get(refresh_token)
        if old is None:
            raise TokenError("invalid_grant")
        self._forget(old)
        return self._issue(old.user_id, old.scopes)

    def revoke(self, token: str) -> None:
        """Kill the authorisation ``token`` belongs to, and every other token that person gave us."""
        found = self._by_access.get(token) or self._by_refresh.get(token)
        if found is not None:
            self.withdraw(found.user_id)

    def withdraw(self, user_id: int) -> None:
        """Do what a person does under "Authorised apps": take everything back."""
        self._allowed.pop(user_id, None)
        for one in [one for one in self._by_access.values() if one.user_id == user_id]:
            self._forget(one)

    def bearer(self, access_token: str) -> Authorization | None:
        """Return the live authorisation behind an access token."""
        found = self._by_access.get(access_token)
        return found if found is not None and found.expires_at > self._clock.now() else None

    def payload(self, one: Authorization) -> Payload:
        """Return the token answer."""
        return {
            "token_type": "Bearer",
            "access_token": one.access_token,
            "expires_in": int((one.expires_at - self._clock.now()).total_seconds()),
            "refresh_token": one.refresh_token,
            "scope": " ".join(one.scopes),
        }

    def _issue(self, user_id: int, scopes: tuple[str, ...]) -> Authorization:
        made = Authorization(user_id, scopes, self._ids.secret(30), self._ids.secret(30), self._clock.now() + TOKEN_LIFE)
        self._by_access[made.access_token] = self._by_refresh[made.refresh_token] = made
        return made

    def _forget(self, one: Authorization) -> None:
        del self._by_access[one.access_token], self._by_refresh[one.refresh_token]


def same(given: str, expected: str) -> bool:
    """Compare secrets in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())
