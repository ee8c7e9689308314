"""The clock as a port: nothing else in Doorman asks what time it is."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from, so that tests and the sandbox can move it."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return once ``now() >= moment``; at once when it already is."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads it

    async def sleep_until(self, moment: datetime) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - a timer may fire early
            await asyncio.sleep(left)


async def sleep(clock: Clock, delay: timedelta) -> None:
    """Sleep for ``delay`` of ``clock``'s time."""
    await clock.sleep_until(clock.now() + delay)
