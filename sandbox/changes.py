import asyncio
from collections.abc import Callable


class Changes:
    """Lets others wait for the model to reach a state without polling: conditions are looked at after each change."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    def notify(self) -> None:
        """Say that something changed."""
        if not self._waiting:
            return
        still: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        for condition, future in self._waiting:
            if future.done():
                continue
            if condition():
                future.set_result(None)
            else:
                still.append((condition, future))
        self._waiting = still

    async def when(self, condition: Callable[[], object], within: float | None = 10.0) -> None:
        """Return once ``condition()`` is true; TimeoutError after ``within`` real seconds (None: wait for ever)."""
        if condition():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((condition, future))
        async with asyncio.timeout(within):
            await future
