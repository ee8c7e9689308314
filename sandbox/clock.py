"""The sandbox's clock: one that can be moved, and that never moves back."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DEFAULT_START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class VirtualClock:
    """A clock that stands still (or flows with real time) until :meth:`advance` moves it.

    ``flowing=True`` lets real time pass on top of the jumps: what a person at a terminal expects.
    ``flowing=False`` is for tests: time moves only when told to.
    """

    def __init__(self, start: datetime = DEFAULT_START, *, flowing: bool = False) -> None:
        self._base = start
        self._flowing = flowing
        self._anchor = time.monotonic()
        self._order = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._listeners: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        if self._flowing:
            return self._base + timedelta(seconds=time.monotonic() - self._anchor)
        return self._base

    async def sleep_until(self, moment: datetime) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0:
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, (moment, next(self._order), woken))
            if self._flowing:
                await asyncio.wait([woken], timeout=left)
            else:
                await woken

    def on_jump(self, listener: Callable[[datetime], None]) -> None:
        """Call ``listener(now)`` after every jump."""
        self._listeners.append(listener)

    def advance(self, by: timedelta) -> datetime:
        """Move forward by ``by`` and wake everyone whose time has come; returns the new time."""
        return self.advance_to(self.now() + by)

    def advance_to(self, moment: datetime) -> datetime:
        """Move forward to ``moment``; a moment in the past is refused, since time never runs back."""
        now = self.now()
        if moment < now:
            message = f"time only moves forward: it is {now.isoformat()}, not moving back to {moment.isoformat()}"
            raise ValueError(message)
        self._base, self._anchor = moment, time.monotonic()
        while self._sleepers and self._sleepers[0][0] <= moment:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
        for listener in self._listeners:
            listener(moment)
        return moment
