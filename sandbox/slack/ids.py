import random
import string
from datetime import datetime

from core.clock import Clock
from sandbox.mark import marked

_UPPER = string.ascii_uppercase + string.digits
_LETTERS = string.ascii_letters + string.digits


class Ids:
    """Ids, message times and secrets in Slack's shapes, drawn from a seed; none comes twice."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = random.Random(f"slack {seed}")  # noqa: S311 - made-up secrets of a made-up vendor
        self._given: set[str] = set()
        self._last = 0

    def id(self, prefix: str) -> str:
        """Return a new id such as ``U07K2M9Q4XZ`` for the prefix ``U``."""
        while True:
            made = f"{prefix}0" + "".join(self._random.choices(_UPPER, k=9))
            if made not in self._given:
                self._given.add(made)
                return made

    def ts(self) -> str:
        """Return a message's time, ``seconds.microseconds``, later than every one before it."""
        self._last = max(self._last + 1, int(self._clock.now().timestamp() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def secret(self, length: int = 24) -> str:
        """Return ``length`` letters and digits."""
        return marked("".join(self._random.choices(_LETTERS, k=length)))

    def hexadecimal(self, length: int = 32) -> str:
        """Return ``length`` hexadecimal digits."""
        return marked("".join(self._random.choices("0123456789abcdef", k=length)))

    def digits(self, length: int = 13) -> str:
        """Return ``length`` digits that do not begin with a nought."""
        return self._random.choice("123456789") + "".join(self._random.choices(string.digits, k=length - 1))

    def envelope(self) -> str:
        """Return an envelope's id, in the shape of a UUID."""
        return "-".join(self.hexadecimal(length) for length in (8, 4, 4, 4, 12))


def seconds(moment: datetime) -> int:
    """Return whole seconds since 1970, as Slack writes most times."""
    return int(moment.timestamp())
