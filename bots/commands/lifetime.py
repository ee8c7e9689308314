"""How long something lasts, as people write it."""

import re
from datetime import MAXYEAR, UTC, datetime, timedelta

from core.errors import Refusal

SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(days=3650)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_WORDS = {"minute": "m", "min": "m", "hour": "h", "hr": "h", "day": "d", "week": "w", "month": "month", "year": "year"}
_DAYS = {"month": timedelta(days=30), "year": timedelta(days=365)}
_SPAN = re.compile(r"(?:in )?(?P<count>\d{1,6}|an?) ?(?P<unit>[a-z]+)", re.IGNORECASE | re.ASCII)
_DATES = ("%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y")
_HOW = "Write it like 24h, 7 days, 2 weeks or 2026-12-31."


def parse_lifetime(text: str, now: datetime) -> timedelta | None:
    """Read ``7d``, ``24h``, ``2 weeks``, or a date (to the end of that day, UTC); None for nothing or ``never``.

    Raises Refusal ``bad_lifetime`` for what cannot be read, is over already, is under five minutes or over ten years.
    """
    said = " ".join(text.replace(",", " ").split())
    if said.casefold() in {"", "never"}:
        return None
    lifetime = _until(said, now) if (span := _span(said)) is None else span
    if lifetime is None:
        raise Refusal("bad_lifetime", f"I can't read “{said[:40]}” as a time. {_HOW}")
    if lifetime < timedelta(0):
        raise Refusal("bad_lifetime", f"“{said[:40]}” is in the past. {_HOW}")
    if not SHORTEST <= lifetime <= LONGEST:
        raise Refusal(
            "bad_lifetime", f"“{said[:40]}” is too {'short' if lifetime < SHORTEST else 'long'}: five minutes to ten years work. {_HOW}"
        )
    return lifetime


def _span(said: str) -> timedelta | None:
    found = _SPAN.fullmatch(said)
    if found is None:
        return None
    word = found["unit"].casefold()
    word = word if word in _UNITS or word in _WORDS else word.removesuffix("s")
    unit = _UNITS.get(_WORDS.get(word, word)) or _DAYS.get(_WORDS.get(word, word))
    return unit * (int(found["count"]) if found["count"].isdecimal() else 1) if unit else None


def _until(said: str, now: datetime) -> timedelta | None:
    for form in _DATES:
        try:
            day = datetime.strptime(said, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return day + timedelta(days=1) - now if day.year < MAXYEAR else None
    return None
