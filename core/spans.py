"""How long what is bought or given lasts, by the calendar, and how several of them follow one another. Pure."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.payments import Interval, IntervalUnit

YEAR = 12


def plus(start: datetime, interval: Interval, times: int = 1) -> datetime | None:
    """Return when ``times`` intervals that begin at ``start`` end; None for life.

    Months and years go by the calendar, from the same day to the same day, or to the month's last where there is no such day.
    """
    count = interval.count * times
    match interval.unit:
        case IntervalUnit.ONCE:
            return None
        case IntervalUnit.DAYS:
            return start + timedelta(days=count)
        case IntervalUnit.WEEK:
            return start + timedelta(weeks=count)
        case _:
            return _months(start, count * (YEAR if interval.unit is IntervalUnit.YEAR else 1))


def _months(start: datetime, count: int) -> datetime:
    years, month = divmod(start.month - 1 + count, YEAR)
    year = start.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


@dataclass(frozen=True, slots=True)
class Span:
    """A time paid for or given, of one source."""

    source: str
    start: datetime
    end: datetime


def closed_up(spans: Sequence[Span], now: datetime, until: datetime | None = None) -> list[Span]:
    """Return the spans that have yet to begin, moved so that each begins where the ones before it end, and keeps its length.

    ``until`` is when something else ends that they come after. What runs already stays as it is.
    """
    running = [span for span in spans if span.start <= now]
    end = max([now, *(span.end for span in running), *([until] if until else [])])
    moved = []
    for span in sorted((span for span in spans if span.start > now), key=lambda span: (span.start, span.source)):
        moved.append(replace(span, start=end, end=end + (span.end - span.start)))
        end = moved[-1].end
    return moved
