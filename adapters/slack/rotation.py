"""Tokens that run out, renewed by whoever takes the lease: https://docs.slack.dev/authentication/using-token-rotation."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

from adapters.slack.asking import exchanged
from adapters.slack.client import Wire
from adapters.slack.installed import Installed, end_of
from adapters.slack.settings import Settings
from adapters.slack.spaces import NAME
from core.clock import Clock, sleep
from core.credentials import Credentials, Lease
from core.errors import ExternalError, InstallationRevoked, TransientError

PURPOSE = "installation"
LEASE = timedelta(seconds=30)
_CALL_SECONDS = 20
"""Shorter than the lease, so that no answer comes after somebody else has taken it."""
_EARLY = timedelta(hours=2)
"""Of a token's twelve hours; until it is over the old one still serves."""
_PAUSE = timedelta(milliseconds=250)
_USED_UP = frozenset({"invalid_refresh_token", "token_revoked", "invalid_auth", "account_inactive"})


class Rotation:
    """Renews tokens. A refresh token is good once, so of all who want a new one only the holder of the lease asks."""

    def __init__(self, settings: Settings, credentials: Credentials, wire: Wire, clock: Clock) -> None:
        self._settings, self._credentials, self._wire, self._clock = settings, credentials, wire, clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def due(self, installed: Installed) -> bool:
        """Return whether the token should be renewed now."""
        return installed.expires_at is not None and bool(installed.refresh_token) and self._clock.now() >= installed.expires_at - _EARLY

    async def renewed(self, known: Installed) -> Installed:
        """Return the installation with a token that is good now; raises ExternalError."""
        lock = self._locks.setdefault(known.subject, asyncio.Lock())
        async with lock:
            for _ in range(int(2 * LEASE / _PAUSE)):
                stored = await self._stored(known.subject)
                if not self.due(stored):
                    return stored
                lease = await self._credentials.lease(NAME, known.subject, PURPOSE, LEASE)
                if lease is not None:
                    return await self._renew(lease)
                if stored.expires_at is not None and self._clock.now() < stored.expires_at:
                    return stored  # somebody else is renewing it, and the old one lasts until then
                await sleep(self._clock, _PAUSE)
        raise TransientError("The app's token is being renewed.", code="renewing")

    async def _renew(self, lease: Lease) -> Installed:
        held = Installed.load(lease.secret)
        kept = held
        try:
            if self.due(held):
                kept = await self._exchanged(held)
        finally:
            stored = await self._credentials.renew(NAME, held.subject, PURPOSE, lease, kept.dump(), None)
        return kept if stored else await self._stored(held.subject)

    async def _exchanged(self, held: Installed) -> Installed:
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                answer = await exchanged(
                    self._wire, self._settings, "oauth.v2.access", grant_type="refresh_token", refresh_token=held.refresh_token
                )
        except TimeoutError as error:
            raise TransientError("Slack did not renew the token in time.", code="TimeoutError") from error
        except ExternalError as error:
            if error.code in _USED_UP:
                raise InstallationRevoked(
                    "Slack no longer renews the app's token. Add it again from the setup page.", code=error.code
                ) from error
            raise
        now = self._clock.now()
        refresh = str(answer.get("refresh_token") or held.refresh_token)
        return replace(held, bot_token=str(answer["access_token"]), refresh_token=refresh, expires_at=end_of(answer, now))

    async def _stored(self, subject: str) -> Installed:
        secret = await self._credentials.get(NAME, subject, PURPOSE)
        if secret is None:
            raise InstallationRevoked("The app is not in that workspace any more. Add it again from the setup page.", code="not_installed")
        return Installed.load(secret)
