"""Keeps the bot inside Discord's global limit, without ever being told off for it.

Discord counts at most 50 requests a second for a bot, whatever the route, as they arrive. A slot here is taken before a request
leaves and becomes free one second after its answer came back. The answer is later than the arrival, so no second at Discord's end
can hold more requests than there are slots, however the network delays them: bursts up to the number of slots go out at once.

Time is the loop's own (monotonic, real): the windows obeyed here pass at Discord's end, and a sandbox's clock that jumps
must not open them early.
"""

import asyncio
from collections import deque
from collections.abc import Callable

SLOTS = 48
"""Two less than Discord allows: the gateway's own calls and an operator's script fit in beside us."""
WINDOW = 1.0
EVERYTHING = ""
"""The bucket all others are in: paused when the global limit was hit."""


class Pacer:
    """``take`` before a request leaves, ``give`` when it was answered or given up; ``pause`` when a bucket was told to wait."""

    def __init__(self, slots: int = SLOTS, window: float = WINDOW) -> None:
        self._window = window
        self._open = asyncio.Semaphore(slots)
        self._free_at: deque[float] = deque([0.0] * slots)
        self._paused_until: dict[str, float] = {}

    async def take(self, bucket: str) -> None:
        """Wait until ``bucket`` is not paused and a slot is free."""
        await self._until(lambda: max(self._paused_until.get(bucket, 0.0), self._paused_until.get(EVERYTHING, 0.0)))
        await self._open.acquire()
        free_at = self._free_at.popleft()
        try:
            await self._until(lambda: free_at)
        except asyncio.CancelledError:
            self._free_at.appendleft(free_at)
            self._open.release()
            raise

    def give(self) -> None:
        """Return a slot; it is free again a window from now."""
        self._free_at.append(asyncio.get_running_loop().time() + self._window)
        self._open.release()

    def pause(self, bucket: str, seconds: float) -> None:
        """Hold back ``bucket``, and only that, for ``seconds``."""
        now = asyncio.get_running_loop().time()
        self._paused_until = {name: until for name, until in self._paused_until.items() if until > now}
        self._paused_until[bucket] = max(self._paused_until.get(bucket, 0.0), now + seconds)

    @staticmethod
    async def _until(moment: Callable[[], float]) -> None:
        loop = asyncio.get_running_loop()
        while (left := moment() - loop.time()) > 0:  # noqa: ASYNC110 - a pause may grow while one waits
            await asyncio.sleep(left)
