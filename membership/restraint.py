"""After a restored backup our rows may be older than the truth: nobody loses anything until all of it has been compared once."""

import logging
from datetime import timedelta

from core.errors import RateLimited

AGAIN_AFTER = timedelta(minutes=5)
_log = logging.getLogger(__name__)


class Restraint:
    """Whether revocations wait. It is lifted once, when everything was compared, and never put back while the program runs."""

    def __init__(self, *, held: bool = False) -> None:
        self._held = held

    @property
    def held(self) -> bool:
        """Whether they wait."""
        return self._held

    def check(self) -> None:
        """Raise RateLimited while they wait: the revocation stays due, and no attempt counts."""
        if self._held:
            raise RateLimited("nothing is taken until everything has been compared", retry_after=AGAIN_AFTER.total_seconds(), code="held")

    def lift(self) -> None:
        """Let revocations go on."""
        if self._held:
            _log.warning("everything was compared: what has ended is taken again")
        self._held = False
