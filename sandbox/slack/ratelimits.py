"""Rate limits per https://docs.slack.dev/apis/web-api/rate-limits: so many calls a minute, per method, per workspace, per app."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

Seconds = Callable[[], float]
MINUTE = 60.0
TIERS: dict[str, int] = {"1": 1, "2": 20, "3": 50, "4": 100, "auth": 600, "sockets": 20, "post": 600}
"""Calls a minute. Slack says "at least" these for 1 to 4, here they are the most; the named ones are methods with limits of their own,
for which it gives words and no figure."""
POSTS_EVERY = 1.0
"""Seconds between messages in one channel."""


@dataclass(slots=True)
class RateLimits:
    """Counts calls on ``seconds`` (a clock in seconds) over a window that slides; None switches every limit off."""

    seconds: Seconds | None
    tiers: dict[str, int] = field(default_factory=lambda: dict(TIERS))
    refused: int = 0
    """How many calls were turned away so far."""
    _calls: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def take(self, method: str, tier: str, workspace: str) -> int:
        """Count one call and return 0, or the whole seconds to wait when it is one too many (such a call does not count)."""
        return self._take((method, workspace), self.tiers[tier], MINUTE)

    def post(self, channel: str) -> int:
        """Count one message in a channel, likewise."""
        return self._take(("chat.postMessage", channel), 1, POSTS_EVERY)

    def _take(self, key: tuple[str, str], most: int, window: float) -> int:
        if self.seconds is None:
            return 0
        now = self.seconds()
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= most:
            self.refused += 1
            return max(1, math.ceil(calls[0] + window - now))
        calls.append(now)
        return 0
