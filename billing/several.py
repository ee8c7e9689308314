"""Ask the processor about many things, a few at a time; what fails is remembered, and nothing else follows from it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from core.errors import ExternalError, KeyRefused, PermanentError

AT_ONCE = 8
"""Stripe's sandboxes take 25 calls a second."""
GONE = "resource_missing"
"""The processor's word for what it never heard of: nothing can be learnt, now or later."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Several(Generic[T]):
    """One round of asking. ``unanswered`` is what must be asked about again, ``failed`` what met a fault of ours: logged, and left."""

    def __init__(self) -> None:
        self.unanswered: list[T] = []
        self.failed: list[T] = []
        self._refused = False

    async def each(self, things: Iterable[T], ask: Callable[[T], Awaitable[None]]) -> None:
        """Await ``ask`` for each thing. Once our key is refused the rest is not asked: the answers would be no better."""
        following = iter(things)

        async def work() -> None:
            for thing in following:
                if self._refused:
                    self.unanswered.append(thing)
                else:
                    await self._one(thing, ask)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())

    async def _one(self, thing: T, ask: Callable[[T], Awaitable[None]]) -> None:
        try:
            await ask(thing)
        except PermanentError as error:
            _log.warning("nothing learnt about %s: %s", thing, error)
            self._refused = self._refused or isinstance(error, KeyRefused)
            if error.code != GONE:
                self.unanswered.append(thing)
        except ExternalError as error:
            _log.info("no answer about %s: %s", thing, error)
            self.unanswered.append(thing)
        except Exception:  # noqa: BLE001 - one that is poisoned must not hold up the others
            _log.exception("looking at %s failed", thing)
            self.failed.append(thing)
