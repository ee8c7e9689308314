"""How far our clock is from Stripe's, by the ``Date`` of its answers: whatever the key may ask for tells it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from core.clock import Clock

FRESH = timedelta(minutes=1)
"""For how long what an answer told counts as now; a clock that is put right moves further than that."""

LONGEST = timedelta(seconds=30)
"""A call that seems to have taken longer tells too little, or our clock was put right in the middle of it."""


class Skew:
    """Our clock minus Stripe's, to about a second: ``Date`` has no fractions, so half a one is added."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: tuple[timedelta, datetime] | None = None

    def asked_at(self) -> datetime:
        """Return our time, to be given to :meth:`note` with the answer."""
        return self._clock.now()

    def note(self, asked_at: datetime, headers: Mapping[str, str]) -> None:
        """Learn from an answer's headers; the middle of the call is taken for ours."""
        now = self._clock.now()
        date = headers.get("Date")
        if date is not None and timedelta(0) <= now - asked_at <= LONGEST:
            ours = asked_at + (now - asked_at) / 2
            self._noted = ours - (parsedate_to_datetime(date) + timedelta(milliseconds=500)), now

    def known(self) -> timedelta | None:
        """Return what the latest answer told; None when there was none of late."""
        if self._noted is None or abs(self._clock.now() - self._noted[1]) > FRESH:
            return None
        return self._noted[0]
