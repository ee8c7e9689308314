"""How far we are with what has to change on the platforms: how much is left and about how long that takes, by the pace it goes at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.ids import CommunityId
from storage import progress
from storage.database import Database

WINDOW = timedelta(minutes=5)
"""The pace is what was done in so long a time."""
_MINUTE = timedelta(minutes=1)
"""A platform's limits are by the minute: what went at once at the beginning of one says nothing of the rest of it."""
_HOUR, _DAY = 60, 24
_FEW = 1.5
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """What is left in a space. ``a_minute`` is the pace, zero when nothing was done lately; ``waits``: nor is anything about to be."""

    space_name: str
    gains: int
    losses: int
    a_minute: float
    waits: bool
    why: str

    @property
    def left(self) -> int:
        """How many changes are left."""
        return self.gains + self.losses

    def __str__(self) -> str:
        what = "1 change is" if self.left == 1 else f"{self.left:,} changes are"
        return f"{what} left: {self.gains:,} to give, {self.losses:,} to take away. {self._when()}"

    def _when(self) -> str:
        if self.a_minute:
            pace = max(1, round(self.a_minute))
            return f"At the present pace of {pace:,} a minute that takes {about(self.left / self.a_minute)}."
        if not self.waits:
            return "They begin in a moment."
        reason = f", as the last answer was: {self.why}" if self.why else ""
        return f"None was done in the last {WINDOW // _MINUTE} minutes{reason.rstrip('.')}. I keep trying."


class Progresses:
    """Reads how far we are; writes nothing."""

    def __init__(self, *, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def of(self, community: CommunityId | None, most: int = SHOWN) -> Sequence[Progress]:
        """Return where something is left, in a community or in all, those with most of it first; empty when all is done."""
        now = self._clock.now()
        async with self._db.reading() as session:
            found = await progress.left(session, community, most)
            if not found:
                return ()
            moved = await progress.moved(session, {one.community for one in found}, [one.space for one in found], now - WINDOW)
        return [_progress(one, moved.get(one.space), now) for one in found]


def _progress(one: progress.Left, moved: tuple[int, datetime] | None, now: datetime) -> Progress:
    waits = moved is None and (bool(one.error) or one.since <= now - WINDOW)
    return Progress(one.name, one.gains, one.losses, pace(moved, now), waits, one.error)


def pace(moved: tuple[int, datetime] | None, now: datetime) -> float:
    """Return how many changes a minute were done since the first of those that were done lately."""
    if moved is None:
        return 0.0
    number, first = moved
    return number / (max(now - first, _MINUTE) / _MINUTE)


def about(minutes: float) -> str:
    """Say a length of time in words, rounded up: nobody minds what is done sooner."""
    if minutes <= _FEW:
        return "about a minute"
    if minutes <= _FEW * _HOUR:
        return f"about {math.ceil(minutes)} minutes"
    hours = minutes / _HOUR
    return f"about {math.ceil(hours)} hours" if hours <= _FEW * _DAY else f"about {math.ceil(hours / _DAY)} days"
