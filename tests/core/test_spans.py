from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.payments import Interval, IntervalUnit
from core.spans import Span, closed_up, plus

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "interval", "times", "end"),
    [
        ("2026-01-31", Interval(IntervalUnit.MONTH), 1, "2026-02-28"),
        ("2028-01-31", Interval(IntervalUnit.MONTH), 1, "2028-02-29"),
        ("2026-01-31", Interval(IntervalUnit.MONTH), 2, "2026-03-31"),
        ("2026-11-30", Interval(IntervalUnit.MONTH), 3, "2027-02-28"),
        ("2028-02-29", Interval(IntervalUnit.YEAR), 1, "2029-02-28"),
        ("2026-12-15", Interval(IntervalUnit.MONTH, 12), 1, "2027-12-15"),
        ("2026-03-28", Interval(IntervalUnit.WEEK), 2, "2026-04-11"),
        ("2026-03-28", Interval(IntervalUnit.DAYS, 30), 2, "2026-05-27"),
    ],
)
def test_months_and_years_go_by_the_calendar(start: str, interval: Interval, times: int, end: str) -> None:
    begins, ends = (datetime.fromisoformat(f"{day}T09:30+00:00") for day in (start, end))
    assert plus(begins, interval, times) == ends


def test_what_is_for_life_does_not_end() -> None:
    assert plus(NOW, Interval(IntervalUnit.ONCE)) is None


@given(st.lists(st.tuples(st.integers(-400, 400), st.integers(1, 400)), max_size=8), st.integers(-100, 100))
def test_what_follows_follows_without_a_gap_and_keeps_its_length(drawn: list[tuple[int, int]], until: int) -> None:
    spans = [Span(str(number), NOW + start * DAY, NOW + (start + length) * DAY) for number, (start, length) in enumerate(drawn)]
    moved = closed_up(spans, NOW, NOW + until * DAY)
    assert {span.source for span in moved} == {span.source for span in spans if span.start > NOW}
    lengths = {span.source: span.end - span.start for span in spans}
    assert all(span.end - span.start == lengths[span.source] for span in moved)
    end = max([NOW, NOW + until * DAY, *(span.end for span in spans if span.start <= NOW)])
    for span in moved:
        assert span.start == end
        end = span.end
    assert closed_up([*(span for span in spans if span.start <= NOW), *moved], NOW, NOW + until * DAY) == [
        span for span in moved if span.start > NOW
    ], "twice is once"
