"""One look at an object for all that was said of it before the look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from weakref import WeakValueDictionary

from core.clock import Clock

REMEMBERED = 1000
"""Of how many objects it is remembered when they were looked at last; forgetting costs one more look."""


class Looks:
    """Remembers when we asked for an object at the processor. A payment is told of in several events within milliseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: dict[str, datetime] = {}
        self._looking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def at(self, external_id: str, since: datetime | None = None) -> AsyncIterator[datetime | None]:
        """Yield the moment of a look that begins now, or None when one that began after ``since`` counts; one look at a time."""
        async with self._looking.setdefault(external_id, asyncio.Lock()):
            if since is not None and self._asked.get(external_id, since) > since:
                yield None
            else:
                yield self._clock.now()

    def count(self, external_id: str, asked_at: datetime) -> None:
        """Have a look count for what was said before it: everything here follows from it. One that had to leave something does not."""
        self._asked[external_id] = asked_at
        if len(self._asked) > REMEMBERED:
            self._asked.pop(next(iter(self._asked)))

    def __contains__(self, external_id: str) -> bool:
        """Whether an object was looked at lately."""
        return external_id in self._asked
