from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.commands.lifetime import LONGEST, SHORTEST, parse_lifetime
from core.errors import Refusal

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "lifetime"),
    [
        ("7d", timedelta(days=7)),
        ("24h", timedelta(hours=24)),
        ("90 min", timedelta(minutes=90)),
        ("2 weeks", timedelta(weeks=2)),
        (" 1  Day ", timedelta(days=1)),
        ("a week", timedelta(weeks=1)),
        ("in 3 months", timedelta(days=90)),
        ("1 year", timedelta(days=365)),
        ("2026-11-02", timedelta(hours=15)),
        ("2026-12-31", timedelta(days=59, hours=15)),
        ("31 December 2026", timedelta(days=59, hours=15)),
        ("Dec 31, 2026", timedelta(days=59, hours=15)),
    ],
)
def test_what_people_write_is_understood(text: str, lifetime: timedelta) -> None:
    assert parse_lifetime(text, NOW) == lifetime


@pytest.mark.parametrize("text", ["", "  ", "never", "Never"])
def test_nothing_means_for_ever(text: str) -> None:
    assert parse_lifetime(text, NOW) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("soon", "can't read"),
        ("7", "can't read"),
        ("7 moons", "can't read"),
        ("1.5 days", "can't read"),
        ("-3 days", "can't read"),
        ("31/12/2026", "can't read"),
        ("2026-02-30", "can't read"),
        ("2026-11-01", "in the past"),
        ("0 days", "too short"),
        ("4 minutes", "too short"),
        ("11 years", "too long"),
        ("9999-12-31", "can't read"),
    ],
)
def test_anything_else_is_refused_with_an_example(text: str, why: str) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        parse_lifetime(text, NOW)
    assert refused.value.code == "bad_lifetime"
    assert "7 days" in refused.value.message


@given(st.text(max_size=30))
def test_nothing_typed_breaks_it(text: str) -> None:
    try:
        lifetime = parse_lifetime(text, NOW)
    except Refusal:
        return
    assert lifetime is None or SHORTEST <= lifetime <= LONGEST


@given(st.integers(min_value=0, max_value=999_999), st.sampled_from(["m", "h", "d", "w", "month", "year"]), st.sampled_from(["", " "]))
def test_a_count_of_a_unit_is_that_many_or_refused(count: int, unit: str, space: str) -> None:
    one = parse_lifetime("1 d", NOW) if unit == "d" else None
    try:
        lifetime = parse_lifetime(f"{count}{space}{unit}", NOW)
    except Refusal:
        return
    assert lifetime is not None
    assert one is None or lifetime == one * count
