"""What falls due, in order: each action runs at its own moment, and time stands at that moment while it runs."""

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[], None]


class Timeline:
    """Time for a set of objects: the sandbox's clock for most, a test clock for those made under one.

    ``read`` returns the Unix time outside of :meth:`run_until`.
    """

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._at: int | None = None
        self._due: list[tuple[int, int, Action]] = []
        self._order = itertools.count()

    def now(self) -> int:
        """Return the Unix time: of the moment being carried out, or of the clock."""
        return self._read() if self._at is None else self._at

    def schedule(self, moment: int, action: Action) -> None:
        """Run ``action`` once time has reached ``moment``. Actions look again whether they still apply."""
        heapq.heappush(self._due, (moment, next(self._order), action))

    def next_due(self) -> int | None:
        """Return when the next action is due."""
        return self._due[0][0] if self._due else None

    def run_until(self, moment: int) -> None:
        """Carry out everything due up to and including ``moment``, also what these actions themselves schedule."""
        if self._at is not None:
            return
        try:
            while self._due and self._due[0][0] <= moment:
                due, _, action = heapq.heappop(self._due)
                self._at = due
                action()
        finally:
            self._at = None
