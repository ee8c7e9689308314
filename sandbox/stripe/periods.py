"""Billing periods: whole intervals counted from an anchor, so that 31 January is followed by 28 February and then 31 March."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

MONTHS = {"month": 1, "year": 12}
SECONDS = {"day": 86_400, "week": 604_800}


def plus(moment: int, interval: str, count: int) -> int:
    """Return ``moment`` plus ``count`` intervals; a day the month lacks becomes its last day."""
    if interval in SECONDS:
        return moment + SECONDS[interval] * count
    at = datetime.fromtimestamp(moment, UTC)
    months = at.year * 12 + at.month - 1 + MONTHS[interval] * count
    year, month = divmod(months, 12)
    day = min(at.day, monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())


def end_after(anchor: int, interval: str, count: int, moment: int) -> int:
    """Return the first ``anchor + n * count intervals`` (n may be negative) that lies after ``moment``."""
    longest = timedelta(days=31 * MONTHS[interval]).total_seconds() if interval in MONTHS else SECONDS[interval]
    steps = int((moment - anchor) // (longest * count)) if moment >= anchor else -int((anchor - moment) // (longest * count * 0.9)) - 2
    while (end := plus(anchor, interval, count * steps)) <= moment:
        steps += 1
    return end
