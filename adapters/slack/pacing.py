"""Keeps us inside Slack's limits without ever being told off for it.

A turn is taken before a request leaves and is free again a window after its answer came. The answer is later than the arrival, so no
window at Slack's end can hold more requests than there are turns, however the network delays them: a burst goes out at once, and a long
queue moves at the limit.

Time is the loop's own (monotonic, real) unless a test gives another: these windows pass at Slack's end, and a sandbox's clock that jumps
must not open them early.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MINUTE = 60.0
Bucket = tuple[str, ...]
"""What is counted together: ``(workspace, method)``, or a channel with it."""
_MOST = 4096
"""Buckets kept; idle ones beyond that are dropped."""


@dataclass(slots=True)
class _Queue:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    returned: asyncio.Event = field(default_factory=asyncio.Event)
    out: int = 0
    free_at: deque[float] = field(default_factory=deque)
    paused_until: float = 0.0


class Pacer:
    """``async with turn(…)`` around a request; ``pause`` when a bucket was told to wait. ``seconds`` and ``sleep`` are its time."""

    def __init__(self, seconds: Callable[[], float] | None = None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._given, self._sleep = seconds, sleep
        self._queues: dict[Bucket, _Queue] = {}

    @asynccontextmanager
    async def turn(self, bucket: Bucket, most: int, window: float = MINUTE) -> AsyncIterator[None]:
        """Wait until fewer than ``most`` requests of ``bucket`` lie in the last ``window`` seconds, first come first served."""
        queue = self._queue(bucket)
        async with queue.turn:
            await self._room(queue, most)
            queue.out += 1
        try:
            yield
        finally:
            queue.out -= 1
            queue.free_at.append(self._now() + window)
            queue.returned.set()

    async def _room(self, queue: _Queue, most: int) -> None:
        while True:
            now = self._now()
            while queue.free_at and queue.free_at[0] <= now:
                queue.free_at.popleft()
            if queue.paused_until > now:
                await self._sleep(queue.paused_until - now)
            elif queue.out + len(queue.free_at) < most:
                return
            elif queue.free_at:
                await self._sleep(queue.free_at[0] - now)
            else:
                queue.returned.clear()
                await queue.returned.wait()

    def pause(self, bucket: Bucket, seconds: float) -> None:
        """Hold back ``bucket``, and only that, for ``seconds``."""
        queue = self._queue(bucket)
        queue.paused_until = max(queue.paused_until, self._now() + seconds)

    def _queue(self, bucket: Bucket) -> _Queue:
        if bucket not in self._queues and len(self._queues) >= _MOST:
            self._drop_idle()
        return self._queues.setdefault(bucket, _Queue())

    def _drop_idle(self) -> None:
        now = self._now()
        for bucket, queue in list(self._queues.items()):
            waited_for = queue.turn.locked() or queue.out or queue.paused_until > now
            if not waited_for and (not queue.free_at or queue.free_at[-1] <= now):
                del self._queues[bucket]

    def _now(self) -> float:
        return self._given() if self._given is not None else asyncio.get_running_loop().time()
