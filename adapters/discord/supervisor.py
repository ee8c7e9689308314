"""Keeps the gateway connected and the commands registered, whatever Discord does, until it is stopped."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import discord

from adapters.discord.errors import NETWORK_ERRORS, UNAUTHORIZED, translate
from adapters.discord.gateway import Gateway
from core.clock import Clock, sleep
from core.errors import ExternalError, PermanentError

log = logging.getLogger(__name__)

_FIRST, _LONGEST = 1.0, 120.0
"""Seconds. Starting anew every two minutes stays under the 1,000 sessions a day after which Discord replaces the bot's token."""
_HOPELESS = timedelta(hours=1)
_STEADY = timedelta(minutes=2)
"""A connection that lasted this long is worth an immediate second one."""
_BAD_TOKEN, _INTENT_REFUSED = 4004, 4014
INTENT_REFUSED = (
    "Discord refuses the Server Members Intent, so going on without it: joins are noticed later. "
    "Switch it on in the Developer Portal under Bot, or set DISCORD_MEMBERS_INTENT=false."
)


class Supervisor:
    """Runs gateway connections one after another. ``members`` turns False when Discord refuses that intent."""

    def __init__(self, make: Callable[[bool], Gateway], clock: Clock, token: str, *, members: bool) -> None:
        self._make, self._clock, self._token = make, clock, token
        self._chance = random.Random()  # noqa: S311 - spreads reconnects, guards nothing
        self.members = members
        self.gateway: Gateway | None = None

    @property
    def connected(self) -> bool:
        """Whether a connection is up and events flow."""
        return self.gateway is not None and self.gateway.connected

    async def run(self) -> None:
        """Connect for ever; ends only by being cancelled."""
        failures = 0
        while True:
            began = self._clock.now()
            wait = await self._connect_once()
            failures = 0 if self._clock.now() - began >= _STEADY else failures + 1
            await sleep(self._clock, wait if wait is not None else self._backoff(failures))

    async def _connect_once(self) -> timedelta | None:
        """Run one connection to its end; returns how long to wait, None when back-off should decide."""
        self.gateway = gateway = self._make(self.members)
        try:
            await gateway.start(self._token, reconnect=False)
            log.info("the gateway closed the connection; connecting again")
        except discord.ConnectionClosed as error:
            return self._refused(error.code)
        except NETWORK_ERRORS as error:
            return self._unreachable(translate(error))
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
            log.warning("the gateway sent something that cannot be read (%s); connecting again", type(error).__name__, exc_info=error)
        finally:
            gateway.connected = False
            await gateway.close()
        return None

    def _refused(self, code: int) -> timedelta | None:
        if code == _INTENT_REFUSED and self.members:
            log.error(INTENT_REFUSED)
            self.members = False
            return timedelta(seconds=_FIRST)
        if code == _BAD_TOKEN:
            return self._unreachable(translate(discord.LoginFailure()))
        log.warning("the gateway closed the connection (%d); connecting again", code)
        return None

    def _unreachable(self, error: ExternalError) -> timedelta | None:
        if error.code == UNAUTHORIZED:
            log.error("%s", error)
            return _HOPELESS
        log.warning("the gateway is not reachable: %s", error)
        return None

    def _backoff(self, failures: int) -> timedelta:
        most = min(_LONGEST, _FIRST * 2 ** min(failures, 10))
        return timedelta(seconds=self._chance.uniform(most / 2, most))

    async def until_done(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        """Carry out ``work``, again and again until it succeeds or can never."""
        failures = 0
        while True:
            try:
                await work()
            except PermanentError as error:
                log.error("%s: %s", what, error)  # noqa: TRY400
                if error.code != UNAUTHORIZED:
                    return
                await sleep(self._clock, _HOPELESS)
            except ExternalError as error:
                failures += 1
                log.warning("%s: %s", what, error)
                await sleep(self._clock, self._backoff(failures))
            else:
                return


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel ``task`` and wait until it is gone."""
    task.cancel()
    await asyncio.wait([task])
