"""Which token serves which workspace: the one set by the operator, else what was stored when the app was installed."""

from datetime import datetime, timedelta

from adapters.slack.asking import said
from adapters.slack.client import Wire
from adapters.slack.installed import Installed
from adapters.slack.rotation import PURPOSE, Rotation
from adapters.slack.settings import Settings
from adapters.slack.spaces import NAME
from core.clock import Clock
from core.credentials import Credentials
from core.errors import InstallationRevoked
from core.platform import Space

_REMEMBERED = timedelta(seconds=60)
_SPARED = timedelta(hours=1)
"""How long a token that was refused is not tried again: Slack bans who goes on."""
_FOR_GOOD = frozenset({"account_inactive", "token_revoked"})
_GONE = "The app is not in that workspace any more. Add it again from the setup page."


class Installations:
    """Keeps installations in the credentials port, remembered for a minute; gives tokens out and renews those that run out."""

    def __init__(self, settings: Settings, credentials: Credentials | None, wire: Wire, clock: Clock) -> None:
        self._settings, self._credentials, self._wire, self._clock = settings, credentials, wire, clock
        self._rotation = Rotation(settings, credentials, wire, clock) if credentials is not None else None
        self._known: dict[str, tuple[datetime, Installed]] = {}
        self._refused: dict[str, datetime] = {}
        self._own: Installed | None = None

    async def find(self, space: Space) -> Installed | None:
        """Return the installation that serves ``space``, its own or its organisation's."""
        own = await self.own()
        if own is not None and space.external_id in {own.team, own.enterprise}:
            return own
        return await self._stored(space.external_id) or (await self._stored(space.realm) if space.realm != space.external_id else None)

    async def own(self) -> Installed | None:
        """Return the installation whose token the operator set; None when none is set. Raises ExternalError when Slack refuses it."""
        token = self._settings.bot_token
        if token is not None and self._own is None:
            answer = await said(self._wire.web(token.get_secret_value()).auth_test())
            self._own = Installed(
                bot_token=token.get_secret_value(),
                team=str(answer["team_id"]),
                enterprise=str(answer.get("enterprise_id") or ""),
                name=str(answer["team"]),
                bot_user=str(answer["user_id"]),
                installer="",
                installed_at=datetime.min.replace(tzinfo=self._clock.now().tzinfo),
                bot_id=str(answer.get("bot_id") or ""),
            )
        return self._own

    async def token(self, space: Space) -> str:
        """Return a token that is good now; raises InstallationRevoked when there is none."""
        found = await self.find(space)
        if found is None or self._spared(found):
            raise InstallationRevoked(_GONE, code="not_installed")
        if self._rotation is not None and self._rotation.due(found):
            found = await self._rotation.renewed(found)
            self._remember(found)
        return found.bot_token

    async def save(self, installed: Installed) -> None:
        """Store a new installation in place of an older one."""
        if self._credentials is not None:
            await self._credentials.put(NAME, installed.subject, PURPOSE, installed.dump(), None)
        self._remember(installed)

    async def dead(self, space: Space, why: str) -> None:
        """Stop using the token of ``space``, which Slack refuses with the word ``why``; one that was stored meanwhile stays."""
        used = await self.find(space)
        if used is None:
            return
        self._known.pop(used.subject, None)
        stored = await self.find(space)
        if stored is None or stored.bot_token != used.bot_token:
            return
        self._refused[stored.bot_token] = self._clock.now() + _SPARED
        if why in _FOR_GOOD:
            await self._forget(stored)

    async def stored(self, space: Space) -> Installed | None:
        """Return what is stored for ``space`` now, whatever is remembered: its own installation, or its organisation's."""
        for subject in dict.fromkeys([space.external_id, space.realm]):
            self._known.pop(subject, None)
            found = await self._stored(subject)
            if found is not None:
                return found
        return None

    async def gone(self, space: Space, at: datetime) -> None:
        """Forget the workspace's installation, which was taken out ``at`` that time; one made later, or its organisation's, stays."""
        found = await self.stored(space)
        if found is not None and found.team == space.external_id and found.installed_at <= at:
            await self._forget(found)

    async def _forget(self, installed: Installed) -> None:
        self._known.pop(installed.subject, None)
        if self._credentials is not None and installed is not self._own:
            await self._credentials.forget(NAME, installed.subject, PURPOSE)

    async def _stored(self, subject: str) -> Installed | None:
        known = self._known.get(subject)
        if known is not None and self._clock.now() < known[0] + _REMEMBERED:
            return known[1]
        secret = await self._credentials.get(NAME, subject, PURPOSE) if self._credentials is not None else None
        if secret is None:
            self._known.pop(subject, None)
            return None
        return self._remember(Installed.load(secret))

    def _remember(self, installed: Installed) -> Installed:
        self._known[installed.subject] = (self._clock.now(), installed)
        return installed

    def _spared(self, installed: Installed) -> bool:
        until = self._refused.get(installed.bot_token)
        if until is None:
            return False
        if self._clock.now() >= until:
            del self._refused[installed.bot_token]
        return self._clock.now() < until
