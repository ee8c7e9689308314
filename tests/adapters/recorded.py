"""An inbound that remembers what came in and lets a test wait for it."""

import asyncio
from collections.abc import Callable, Sequence

from core.commands import CommandRequest, CommandSpec
from core.ids import PlatformUserId
from core.platform import EventKind, PlatformEvent

WITHIN = 10.0


class RecordedInbound:
    """Keeps commands and events as plain lists, once each; ``failing`` makes storing a command fail."""

    def __init__(self, commands: Sequence[CommandSpec] = ()) -> None:
        self.commands = commands
        self.requests: list[CommandRequest] = []
        self.events: list[PlatformEvent] = []
        self.failing = False
        self.slow: asyncio.Event | None = None
        self._arrived = asyncio.Condition()

    async def on_command(self, request: CommandRequest) -> None:
        if self.slow is not None:
            await self.slow.wait()
        if self.failing:
            raise ConnectionError("the disk is full")
        async with self._arrived:
            if request.id not in {one.id for one in self.requests}:
                self.requests.append(request)
            self._arrived.notify_all()

    async def on_event(self, event: PlatformEvent) -> None:
        async with self._arrived:
            if event.id not in {one.id for one in self.events}:
                self.events.append(event)
            self._arrived.notify_all()

    def kinds(self, user: PlatformUserId | None = None) -> list[EventKind]:
        """What kinds of events came, for ``user`` alone when given."""
        return [event.kind for event in self.events if user in {None, event.user}]

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait (a bounded time) until ``reached``."""
        async with asyncio.timeout(WITHIN), self._arrived:
            await self._arrived.wait_for(reached)

    async def event(self, kind: EventKind, user: PlatformUserId | None = None) -> PlatformEvent:
        """Wait for an event of ``kind`` and return the latest."""

        def found() -> list[PlatformEvent]:
            return [event for event in self.events if event.kind is kind and user in {None, event.user}]

        await self.until(lambda: bool(found()))
        return found()[-1]

    async def request(self, position: int = -1) -> CommandRequest:
        """Wait for a command and return it."""
        await self.until(lambda: bool(self.requests))
        return self.requests[position]
