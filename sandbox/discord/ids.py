import base64
import random
import string
from datetime import UTC, datetime

from core.clock import Clock
from sandbox.mark import marked

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_LETTERS = string.ascii_letters + string.digits


class Ids:
    """Snowflakes that carry the clock's time and never repeat, and secrets drawn from a seed."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = random.Random(f"discord {seed}")  # noqa: S311 - made-up secrets of a made-up vendor
        self._last = 0

    def snowflake(self) -> int:
        """Return a new id, larger than every one before it."""
        self._last = max(self._last + 1, snowflake_at(self._clock.now()))
        return self._last

    def secret(self, length: int = 30) -> str:
        """Return ``length`` url-safe characters."""
        return marked("".join(self._random.choices(_LETTERS, k=length)))

    def bot_token(self, bot_id: int) -> str:
        """Return a token in the shape of a bot's: its id, then two secrets, joined by dots."""
        name = base64.urlsafe_b64encode(str(bot_id).encode()).decode().rstrip("=")
        return f"{name}.{self.secret(6)}.{self.secret(38)}"


def snowflake_at(moment: datetime) -> int:
    """Return the smallest id made at ``moment``."""
    return int((moment - _EPOCH).total_seconds() * 1000) << 22


def wire_time(moment: datetime) -> str:
    """Return ``moment`` as Discord writes it: ISO 8601 with microseconds and offset."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
