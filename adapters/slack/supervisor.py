"""Keeps a socket open, whatever Slack does, until it is stopped."""

import asyncio
import logging
import random
from datetime import timedelta

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack import quiet
from adapters.slack.asking import said
from adapters.slack.client import Wire
from adapters.slack.socket_mode import PING_SECONDS, Line, Take
from core.clock import Clock, sleep
from core.errors import ExternalError, PermanentError, RateLimited

log = logging.getLogger(__name__)

_FIRST, _LONGEST = 1.0, 60.0
"""Seconds."""
_HOPELESS = timedelta(hours=1)
_STEADY = timedelta(minutes=2)
"""A connection that lasted this long is worth an immediate second one."""
_REFUSED = "Slack refuses the app-level token. Put the one from Basic Information, App-Level Tokens into SLACK_APP_TOKEN and restart."


class Supervisor:
    """Runs connections one after another; when Slack asks for a new one it is up before the old one goes."""

    def __init__(self, wire: Wire, app_token: str, take: Take, clock: Clock, *, ping: float = PING_SECONDS) -> None:
        self._wire, self._token, self._take, self._clock, self._ping = wire, app_token, take, clock, ping
        self._chance = random.Random()  # noqa: S311 - spreads reconnects, guards nothing
        self._line: Line | None = None

    @property
    def connected(self) -> bool:
        """Whether a connection is up and requests flow."""
        return self._line is not None and self._line.up

    async def run(self) -> None:
        """Connect for ever; ends only by being cancelled."""
        async with asyncio.TaskGroup() as tasks:
            try:
                await self._keep(tasks)
            finally:
                await self._replace(None)

    async def _keep(self, tasks: asyncio.TaskGroup) -> None:
        failures = 0
        while True:
            wait = await self._connect_once(tasks)
            failures = failures + 1 if wait is not None or not await self._lasted() else 0
            if failures:
                await sleep(self._clock, wait or self._backoff(failures))

    async def _lasted(self) -> bool:
        """Wait for the end of the connection; returns whether it is worth another one at once."""
        if self._line is None:
            return False
        began = self._clock.now()
        await self._line.ended.wait()
        log.info("Slack's socket ended; connecting again")
        return self._line.asked or self._clock.now() - began >= _STEADY

    async def _connect_once(self, tasks: asyncio.TaskGroup) -> timedelta | None:
        """Put a new connection in place of the old one; None when it is up, else how long to wait, or zero when back-off decides."""
        line: Line | None = None
        try:
            web = self._web()
            answer = await said(web.apps_connections_open(app_token=self._token))
            line = Line(web, str(answer["url"]), self._take, tasks, ping=self._ping)
            await line.open()
        except RateLimited as error:
            return timedelta(seconds=error.retry_after)
        except PermanentError as error:
            log.error("%s (%s)", _REFUSED, error.code)  # noqa: TRY400 - no traceback is needed to change a setting
            return _HOPELESS
        except (ExternalError, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("Slack's socket cannot be reached (%s)", type(error).__name__)
            return timedelta()
        else:
            await self._replace(line)
            line = None
            return None
        finally:
            if line is not None:
                await line.shut()

    def _web(self) -> AsyncWebClient:
        """Unpaced: that method's promised one call a minute would keep a second connection waiting, and we back off by ourselves."""
        wire = self._wire
        return AsyncWebClient(self._token, base_url=wire.api_url, session=wire.session, logger=quiet.logger, retry_handlers=[])

    async def _replace(self, line: Line | None) -> None:
        old, self._line = self._line, line
        if old is not None:
            await old.shut()

    def _backoff(self, failures: int) -> timedelta:
        most = min(_LONGEST, _FIRST * 2 ** min(failures, 10))
        return timedelta(seconds=self._chance.uniform(most / 2, most))


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel ``task`` and wait until it is gone."""
    task.cancel()
    await asyncio.wait([task])
