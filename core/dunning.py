"""A failed renewal: when to remind, and when the patience ends. Pure."""

from datetime import datetime, timedelta

LAST_CALL = timedelta(days=1)
"""The last reminder goes out this long before access ends."""


def next_notice(failed_at: datetime, grace: timedelta, sent: int) -> datetime | None:
    """Return when the next of the reminders is due after ``sent`` of them: at once, half way (of a long grace), a day before the end."""
    end = failed_at + grace
    moments = [failed_at]
    if grace > 3 * LAST_CALL:
        moments.append(failed_at + grace / 2)
    if grace > LAST_CALL:
        moments.append(end - LAST_CALL)
    return moments[sent] if sent < len(moments) else None
