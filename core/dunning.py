"""A failed renewal: when to remind, and when the patience ends. Pure."""

from datetime import datetime, timedelta

AFTER = (timedelta(days=1), timedelta(days=3))
"""How long after the failure it is said once more."""
LAST_CALL = timedelta(days=1)
"""The last reminder goes out this long before access ends."""


def next_notice(failed_at: datetime, grace: timedelta, sent: int) -> datetime | None:
    """Return when the next reminder is due after ``sent`` of them: at once, after a day, after three, and on the last day."""
    end = failed_at + grace
    last = end - LAST_CALL
    between = [moment for moment in (failed_at + pause for pause in AFTER) if moment < last]
    moments = [failed_at, *between, *([last] if last > failed_at else [])]
    return moments[sent] if sent < len(moments) else None
