"""When to try again."""

from datetime import timedelta

FIRST = timedelta(seconds=1)
LONGEST = timedelta(hours=1)
MAX_ATTEMPTS = 16
"""After so many failures a work item that fails by its own fault is dead-lettered: between two and a little over four hours of trying."""


def backoff(attempts: int, unit: float) -> timedelta:
    """Return the pause after ``attempts`` (from 1) failures: doubling, capped, with equal jitter from ``unit`` in [0, 1)."""
    doublings: int = min(max(attempts - 1, 0), 20)
    whole = min(FIRST * float(1 << doublings), LONGEST)
    return whole / 2 + whole / 2 * unit
