"""Every token of the one app: issued, looked up, rotated, revoked. https://docs.slack.dev/authentication/tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from sandbox.slack.errors import RefusedError
from sandbox.slack.ids import Ids

ROTATED_LIFE = timedelta(hours=12)


@dataclass(slots=True)
class Token:
    """A bot's or person's token in one workspace. ``dead`` is what Slack answers to whoever still uses it."""

    value: str
    team_id: str
    user_id: str
    scopes: frozenset[str]
    bot: bool
    expires_at: datetime | None = None
    refresh_token: str | None = None
    dead: str | None = None


class Tokens:
    """Looks tokens up by value. A refused token names why, as Slack does."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self._known: dict[str, Token] = {}
        self._refresh: dict[str, Token] = {}

    def issue(self, team_id: str, user_id: str, scopes: frozenset[str], *, bot: bool, rotating: bool) -> Token:
        """Make a token, or return the bot's own with these scopes added: a workspace has one bot token, unless tokens rotate."""
        if bot and not rotating and (old := self.bot_token(team_id)) is not None:
            old.scopes |= scopes
            return old
        token = Token(self._value(bot=bot, rotating=rotating), team_id, user_id, scopes, bot)
        if rotating:
            token.expires_at = self._clock.now() + ROTATED_LIFE
            token.refresh_token = f"xoxe-1-{self._ids.secret(140)}"
            self._refresh[token.refresh_token] = token
        self._known[token.value] = token
        return token

    def bot_token(self, team_id: str) -> Token | None:
        """Return the live bot token of a workspace, the newest when they rotate."""
        live = [one for one in self.of(team_id) if one.bot and not self._expired(one)]
        return live[-1] if live else None

    def of(self, team_id: str, user_id: str | None = None) -> list[Token]:
        """Return the tokens of a workspace (or of one user there) that nobody revoked, oldest first."""
        return [
            one
            for one in self._known.values()
            if one.team_id == team_id and one.dead is None and (user_id is None or one.user_id == user_id)
        ]

    def find(self, value: str) -> Token:
        """Return the live token or refuse with what is wrong with it."""
        token = self._known.get(value)
        if token is None:
            raise RefusedError("invalid_auth")
        if token.dead is not None:
            raise RefusedError(token.dead)
        if self._expired(token):
            raise RefusedError("token_expired")
        return token

    def refresh(self, refresh_token: str) -> Token:
        """Turn a refresh token, once, into a new pair; the old access token lives until its own end."""
        old = self._refresh.pop(refresh_token, None)
        if old is None or old.dead is not None:
            raise RefusedError("invalid_refresh_token")
        return self.issue(old.team_id, old.user_id, old.scopes, bot=old.bot, rotating=True)

    def exchange(self, value: str) -> Token:
        """Turn a token that lives for ever into a pair that rotates."""
        old = self.find(value)
        if old.expires_at is not None:
            raise RefusedError("token_already_exchanged")
        old.dead = "token_revoked"
        return self.issue(old.team_id, old.user_id, old.scopes, bot=old.bot, rotating=True)

    def kill(self, token: Token, why: str) -> None:
        """Let the token be refused with ``why`` from now on."""
        token.dead = why
        if token.refresh_token is not None:
            self._refresh.pop(token.refresh_token, None)

    def _expired(self, token: Token) -> bool:
        return token.expires_at is not None and token.expires_at <= self._clock.now()

    def _value(self, *, bot: bool, rotating: bool) -> str:
        kind = "xoxb" if bot else "xoxp"
        if rotating:
            return f"xoxe.{kind}-1-{self._ids.secret(160)}"
        return f"{kind}-{self._ids.digits()}-{self._ids.digits()}-{self._ids.secret(24)}"
