"""A clock that follows a sandbox's, so that the product lives through a year in a minute. Never outside a sandbox.

The wire: on connecting, and after each jump, the sandbox sends a text frame ``{"now": "<ISO 8601>"}``. Between frames time just flows.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import aiohttp

from core.clock import Clock, SystemClock
from core.errors import TransientError

logger = logging.getLogger(__name__)
PATIENCE = 10.0
"""Real seconds to wait for the first frame."""
PAUSE = 0.2
"""Real seconds between two tries to connect."""


class FollowedClock:
    """Real time plus an offset that only grows. Enter it to connect; leaving disconnects."""

    def __init__(self, url: str, real: Clock | None = None) -> None:
        self._url = url
        self._real = real or SystemClock()
        self._offset = timedelta(0)
        self._known = asyncio.Event()
        self._jumped = asyncio.Event()
        self._listeners: list[Callable[[datetime], None]] = []
        self._tasks = asyncio.TaskGroup()
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._following = self._tasks.create_task(self._follow(), name="follow the sandbox's clock")
        try:
            async with asyncio.timeout(PATIENCE):
                await self._known.wait()
        except TimeoutError:
            self._following.cancel()
            await self._tasks.__aexit__(None, None, None)
            raise TransientError("the sandbox's clock at CLOCK_URL does not answer; start the sandbox first") from None
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._following is not None:
            self._following.cancel()
        await self._tasks.__aexit__(None, None, None)  # an error of the block is the caller's, not to be wrapped into a group

    def now(self) -> datetime:
        return self._real.now() + self._offset

    async def sleep_until(self, moment: datetime) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._jumped.wait()
            except TimeoutError:
                continue

    def on_jump(self, listener: Callable[[datetime], None]) -> None:
        """Call ``listener(now)`` after every jump."""
        self._listeners.append(listener)

    async def _follow(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.ws_connect(self._url, heartbeat=30) as socket:
                        async for frame in socket:
                            self._heard(frame)
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    logger.debug("the sandbox's clock is away: %s", type(error).__name__)
                await asyncio.sleep(PAUSE)

    def _heard(self, frame: aiohttp.WSMessage) -> None:
        try:
            told = datetime.fromisoformat(json.loads(frame.data)["now"])
            ahead = told - self.now()
        except (ValueError, KeyError, TypeError):
            logger.warning("the sandbox's clock sent something that is not a time")
            return
        self._known.set()
        if ahead <= timedelta(0):  # the frame's own journey, or a sandbox that started again: time never runs back
            return
        self._offset += ahead
        waiting, self._jumped = self._jumped, asyncio.Event()
        waiting.set()
        for listener in self._listeners:
            listener(self.now())
