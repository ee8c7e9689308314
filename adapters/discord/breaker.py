"""Stops calls that are bound to be refused, so that one misconfigured server never gets the whole machine banned.

Discord bans an address for a while after 10,000 refusals (401, 403, 429) in ten minutes
(discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.errors import PermanentError

LIMIT = 5
REST = timedelta(hours=1)
Scope = tuple[str, ...]
"""A space, or a space and the one thing in it that is refused: ``("123",)``, ``("123", "456")``."""


@dataclass(slots=True)
class _Circuit:
    refusals: int
    error: PermanentError
    last: datetime


class Breaker:
    """Counts refusals in a row per scope; after ``limit`` the last one is repeated without a call, until ``heal`` or an hour later."""

    def __init__(self, clock: Clock, limit: int = LIMIT, rest: timedelta = REST) -> None:
        self._clock, self._limit, self._rest = clock, limit, rest
        self._circuits: dict[Scope, _Circuit] = {}

    def check(self, scope: Scope) -> None:
        """Raise the last refusal again when ``scope``, or the space it is in, is open."""
        for name in _outwards(scope):
            circuit = self._circuits.get(name)
            if circuit and circuit.refusals >= self._limit and self._clock.now() < circuit.last + self._rest:
                raise type(circuit.error)(str(circuit.error), code=circuit.error.code)

    def refused(self, scope: Scope, error: PermanentError) -> None:
        """Count a refusal; one after the rest opens it again at once."""
        before = self._circuits.get(scope)
        self._circuits[scope] = _Circuit((before.refusals if before else 0) + 1, error, self._clock.now())

    def succeeded(self, scope: Scope) -> None:
        """Forget the refusals of ``scope`` and of the space it is in."""
        for name in _outwards(scope):
            self._circuits.pop(name, None)

    def heal(self, space: str) -> None:
        """Let calls to ``space`` and everything in it through again."""
        self._circuits = {scope: circuit for scope, circuit in self._circuits.items() if scope[0] != space}


def _outwards(scope: Scope) -> Iterator[Scope]:
    yield scope
    if len(scope) > 1:
        yield scope[:1]
