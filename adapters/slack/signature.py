"""Whether a request comes from Slack, decided on its raw bytes: https://docs.slack.dev/authentication/verifying-requests-from-slack."""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from core.clock import Clock

TOLERANCE = 300
"""Seconds a signature may be old, and as many it may lie in the future."""
MEMORY = timedelta(minutes=10)
"""Longer than any signature is good: from the far future to the far past."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class ForgedError(Exception):
    """The request is not signed by Slack, is too old or was seen before; the message says which, and nothing of the request."""


class Verifier:
    """Checks signatures with the app's signing secret. ``clock`` is real time: Slack signs by it, whatever the sandbox's time."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret = secret.encode()
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    @contextmanager
    def genuine(self, headers: Mapping[str, str], body: bytes) -> Iterator["Passage"]:
        """Let a request of Slack's through once; ForgedError for any other.

        Slack signs each retry anew, at its own second. One that follows within the same second bears the same signature, so a request
        is only remembered when it was ``settled`` and may come again when it was not.
        """
        seen = self._check(headers, body)
        passage = Passage()
        self._seen[seen] = self._clock.now().timestamp()
        try:
            yield passage
        finally:
            if not passage.settled:
                self._seen.pop(seen, None)

    def _check(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        lowered = {name.lower(): value for name, value in headers.items()}
        stamp, given = lowered.get("x-slack-request-timestamp", ""), lowered.get("x-slack-signature", "")
        if not _TIMESTAMP.fullmatch(stamp):
            raise ForgedError("no timestamp")
        now = self._clock.now().timestamp()
        if abs(now - int(stamp)) > TOLERANCE:
            raise ForgedError("too old, or a clock is wrong")
        due = "v0=" + hmac.new(self._secret, b"v0:%b:%b" % (stamp.encode(), body), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(due.encode(), given.encode("utf-8", "surrogateescape")):
            raise ForgedError("not signed with the signing secret")
        self._forget_old(now)
        if (stamp, due) in self._seen:
            raise ForgedError("seen before")
        return stamp, due

    def _forget_old(self, now: float) -> None:
        while self._seen and next(iter(self._seen.values())) < now - MEMORY.total_seconds():
            self._seen.popitem(last=False)


class Passage:
    """One request on its way through; ``settled`` once it needs no second attempt."""

    settled = False
