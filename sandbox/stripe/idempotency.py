"""The first answer to each ``Idempotency-Key``, replayed to every later call with the same parameters."""

from collections import OrderedDict
from dataclasses import dataclass

from sandbox.stripe.errors import ApiError

MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class Saved:
    """An answer, and the call it belongs to."""

    at: int
    fingerprint: str
    status: int
    body: str
    request_id: str


class Idempotency:
    """Answers by (account, key), dropped after ``kept`` seconds."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._saved: OrderedDict[tuple[str, str], Saved] = OrderedDict()

    def find(self, account: str, key: str, fingerprint: str, now: int) -> Saved | None:
        """Return the saved answer, or None; raise idempotency_error when the key belongs to another call."""
        if len(key) > MAX_KEY:
            raise ApiError(f"Idempotency keys may have up to {MAX_KEY} characters.", kind="idempotency_error")
        while self._saved and next(iter(self._saved.values())).at + self._kept < now:
            self._saved.popitem(last=False)
        saved = self._saved.get((account, key))
        if saved is not None and saved.fingerprint != fingerprint:
            raise ApiError(
                "Keys for idempotent requests can only be used with the same endpoint and the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        return saved

    def save(self, account: str, key: str, answer: Saved) -> None:
        """Keep an answer; a validation error is not for saving."""
        self._saved[account, key] = answer
