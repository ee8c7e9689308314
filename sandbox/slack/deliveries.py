"""Brings everything to the app, in the background: over its sockets or to its request URL, events again when they fail."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import aiohttp

from sandbox.faults import Fault, FaultKind
from sandbox.slack.requests import Outcome, Requests
from sandbox.slack.sockets import Sockets
from sandbox.slack.world import Outbound, World
from sandbox.wire import Wire

RETRIES = (timedelta(), timedelta(minutes=1), timedelta(minutes=5))
"""The sandbox's time before each retry of an event; then it is lost."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt that was made, for those who look back."""

    name: str
    event_id: str
    attempt: int
    failure: str | None


@dataclass(slots=True)
class Deliveries:
    """Delivers while it is open (``async with``)."""

    world: World
    wire: Wire
    requests: Requests
    sockets: Sockets
    made: deque[Delivered] = field(default_factory=lambda: deque(maxlen=100_000))
    _session: aiohttp.ClientSession | None = None
    _group: asyncio.TaskGroup | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _busy: int = 0
    _waiting: list[datetime] = field(default_factory=list)
    _held: list[Outbound] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._session = self.requests.session()
        self._group = await asyncio.TaskGroup().__aenter__()
        self.world.send = self.send
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in list(self._tasks):
            task.cancel()
        group, session, self._group, self._session = self._group, self._session, None, None
        if group is not None:
            await group.__aexit__(None, None, None)
        if session is not None:
            await session.close()

    def send(self, what: Outbound) -> None:
        """Start on the way to the app, as the fault plan lets it."""
        fault = self.wire.faults.take("slack", f"WEBHOOK {what.name}") if what.kind == "events_api" else None
        if fault is not None and fault.kind is FaultKind.REORDER:
            self._held.append(what)
            return
        if fault is None or fault.kind is not FaultKind.DROP:
            self._dispatch(what, fault)

    async def settled(self) -> None:
        """Return once nothing is under way: all has arrived, is lost, or waits for the sandbox's clock to move."""
        await self.world.changes.when(self._quiet)

    def _dispatch(self, what: Outbound, fault: Fault | None) -> None:
        wait = timedelta(seconds=fault.seconds) if fault is not None and fault.kind is FaultKind.DELAY else timedelta()
        copies = fault.copies if fault is not None and fault.kind is FaultKind.DUPLICATE else 1
        for one in [what] * copies:
            self._start(one, wait)
        held, self._held = self._held, []
        for one in held:
            self._start(one, timedelta())

    def _start(self, what: Outbound, wait: timedelta) -> None:
        if self._group is None:
            return
        self._busy += 1
        task = self._group.create_task(self._deliver(what, wait))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, what: Outbound, wait: timedelta) -> None:
        try:
            if wait:
                await self._wait(wait)
            outcome = await self._persist(what)
            if what.answered is not None:
                what.answered(outcome.failure, outcome.body)
        finally:
            self._busy -= 1
            self.world.changes.notify()

    async def _persist(self, what: Outbound) -> Outcome:
        outcome = await self._attempt(what, 0, "")
        if what.kind != "events_api":
            return outcome
        for number, pause in enumerate(RETRIES, start=1):
            if outcome.failure is None or outcome.final:
                break
            if pause:
                await self._wait(pause)
            outcome = await self._attempt(what, number, outcome.failure)
        return outcome

    async def _attempt(self, what: Outbound, number: int, reason: str) -> Outcome:
        if self._session is None:
            return Outcome("connection_failed")
        if self.world.app.socket_mode:
            outcome = await self.sockets.send(what, number, reason)
        else:
            outcome = await self.requests.post(self._session, what, number, reason)
        self.made.append(Delivered(what.name, str(what.payload.get("event_id", "")), number, outcome.failure))
        self.world.changes.notify()
        return outcome

    async def _wait(self, pause: timedelta) -> None:
        """Sleep by the sandbox's clock, which does not count as being under way."""
        moment = self.world.clock.now() + pause
        with self._resting(moment):
            self.world.changes.notify()
            await self.world.clock.sleep_until(moment)

    @contextmanager
    def _resting(self, moment: datetime) -> Iterator[None]:
        self._busy -= 1
        self._waiting.append(moment)
        try:
            yield
        finally:
            self._busy += 1
            self._waiting.remove(moment)

    def _quiet(self) -> bool:
        now = self.world.clock.now()
        return self._busy == 0 and all(moment > now for moment in self._waiting)
