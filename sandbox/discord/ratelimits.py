"""Rate limits per https://discord.com/developers/docs/topics/rate-limits: buckets, the global limit, and the ban for invalid requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2s

from sandbox.discord.errors import Payload

Seconds = Callable[[], float]
INVALID_LIMIT, INVALID_WINDOW = 10_000, 600.0
GLOBAL_LIMIT = 50
_GLOBAL_WINDOW = 1.0
_MANY_WINDOWS = 10_000

BUCKETS: dict[str, tuple[int, float]] = {
    "member-roles": (10, 10.0),
    "member-add": (10, 10.0),
    "messages": (5, 5.0),
    "message-delete": (5, 1.0),
    "invites": (5, 5.0),
    "roles": (250, 172800.0),
    "dm": (10, 10.0),
    "commands": (5, 20.0),
    "member-list": (10, 10.0),
    "threads": (50, 300.0),
    "answers": (30, 10.0),
    "default": (50, 1.0),
}
"""Requests and seconds per window. Discord publishes no figures and changes them: clients read the headers."""


@dataclass(slots=True)
class _Window:
    left: int
    ends: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limiter says of one request: headers for its answer, and a body when it is turned away."""

    headers: dict[str, str]
    refused: Payload | None = None
    banned_for: float | None = None


@dataclass(slots=True)
class RateLimits:
    """Counts requests on ``seconds`` (a clock in seconds); None switches every limit off but still writes headers.

    ``epoch`` is Unix time, for the header that says when a window ends.
    """

    seconds: Seconds | None
    epoch: Seconds
    buckets: dict[str, tuple[int, float]] = field(default_factory=lambda: dict(BUCKETS))
    global_limit: int = GLOBAL_LIMIT
    invalid_limit: int = INVALID_LIMIT
    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)
    _global: _Window = field(default_factory=lambda: _Window(GLOBAL_LIMIT, 0.0))
    _invalid: _Window = field(default_factory=lambda: _Window(INVALID_LIMIT, 0.0))

    def take(self, bucket: str, major: str, *, counted: bool = True) -> Verdict:
        """Count one request in ``bucket`` for the major parameter ``major``; ``counted`` False: no global limit applies."""
        limit, length = self.buckets[bucket]
        if self.seconds is None:
            return Verdict(_headers(bucket, limit, limit - 1, length, self.epoch() + length))
        now = self.seconds()
        if now < self._invalid.ends and self._invalid.left <= 0:
            return Verdict({}, banned_for=self._invalid.ends - now)
        if counted and (wait := _spend(self._global, now, self.global_limit, _GLOBAL_WINDOW)):
            return _refusal({"Retry-After": _up(wait), "X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}, wait, everywhere=True)
        if len(self._windows) > _MANY_WINDOWS:
            self._windows = {key: one for key, one in self._windows.items() if one.ends > now}
        window = self._windows.setdefault((bucket, major), _Window(limit, 0.0))
        wait = _spend(window, now, limit, length)
        after = window.ends - now
        headers = _headers(bucket, limit, window.left, after, self.epoch() + after)
        if wait:
            return _refusal({**headers, "Retry-After": _up(wait), "X-RateLimit-Scope": "user"}, wait, everywhere=False)
        return Verdict(headers)

    def note(self, status: int) -> None:
        """Count an answer towards the ban if it says the request was invalid (401, 403, 429)."""
        if self.seconds is not None and status in {401, 403, 429}:
            _spend(self._invalid, self.seconds(), self.invalid_limit, INVALID_WINDOW)


def _spend(window: _Window, now: float, limit: int, length: float) -> float:
    """Take one from the window, opening a new one when the last is over; return the seconds to wait when it is empty."""
    if now >= window.ends:
        window.left, window.ends = limit, now + length
    if window.left <= 0:
        return window.ends - now
    window.left -= 1
    return 0.0


def _headers(bucket: str, limit: int, left: int, after: float, ends: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": f"{ends:.3f}",
        "X-RateLimit-Reset-After": f"{after:.3f}",
        "X-RateLimit-Bucket": blake2s(bucket.encode(), digest_size=16).hexdigest(),
    }


def _refusal(headers: dict[str, str], wait: float, *, everywhere: bool) -> Verdict:
    body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": everywhere, "code": 0}
    return Verdict(headers, refused=body)


def _up(seconds: float) -> str:
    return str(int(seconds) + 1)
