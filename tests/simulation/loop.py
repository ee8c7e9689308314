"""An event loop that a seed decides: time jumps to the next timer, and what is ready runs in an order of the seed's."""

import asyncio
import contextvars
import random
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

Handle = asyncio.Handle
FORWARD = 0.25
"""How often something that is ready runs before what was ready sooner."""


class Living(Protocol):
    """Whose tasks the loop tells apart."""

    tasks: set[asyncio.Task[Any]]


LIVING: ContextVar[Living | None] = ContextVar("LIVING", default=None)
"""The process that runs here, if one does."""


@dataclass
class Fuse:
    """Ends a process between two of its turns, wherever it waits then: ``burnt`` is called before turn number ``turns`` from now."""

    whose: Living
    turns: int
    burnt: Callable[[], None]


class _Ready(deque[Handle]):
    """The loop's queue of what is ready. ``order`` None: first come, first served."""

    order: random.Random | None = None
    fuse: "Fuse | None" = None

    def popleft(self) -> Handle:
        """Take what runs next."""
        if self.order is not None and len(self) > 1 and self.order.random() < FORWARD:
            self.rotate(-self.order.randrange(len(self)))
        handle = super().popleft()
        if self.fuse is not None and handle._context.get(LIVING) is self.fuse.whose:  # type: ignore[attr-defined]
            self.fuse.turns -= 1
            if self.fuse.turns == 0:
                self.fuse.burnt()
                self.fuse = None
        return handle


class _NoFiles(selectors.BaseSelector):
    """Waits for nothing but time: sleeping moves the loop's clock, and sleeping for ever is a history that hangs."""

    def __init__(self) -> None:
        self.slept = 0.0
        self._map: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 - as selectors has it
        self._map[fileobj] = key = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401
        return self._map.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("everybody waits for somebody else")
        self.slept += max(timeout, 0.0)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._map


class Stuck(Exception):  # noqa: N818 - a finding about the product
    """Nothing will ever happen again, and somebody still waits."""


class SeededLoop(asyncio.SelectorEventLoop):
    """No sockets and no real time. ``shuffle(rng)`` lets ``rng`` decide who of the ready runs first."""

    def __init__(self) -> None:
        self._files = _NoFiles()
        super().__init__(self._files)
        self._ready: _Ready = _Ready()
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._files.slept

    def shuffle(self, rng: random.Random | None) -> None:
        """Say who decides the order from here on."""
        self._ready.order = rng

    def light(self, fuse: Fuse | None) -> None:
        """Have a process end at a turn of its own, or take that back."""
        self._ready.fuse = fuse

    def create_task(self, coro: Any, *, name: object = None, context: contextvars.Context | None = None) -> asyncio.Task[Any]:  # noqa: ANN401
        """Note whose task it is: a process that is gone takes its own along."""
        task = super().create_task(coro, name=None if name is None else str(name), context=context)
        living = LIVING.get() if context is None else context.get(LIVING)
        if living is not None:
            living.tasks.add(task)
            task.add_done_callback(living.tasks.discard)
        return task

    def _make_self_pipe(self) -> None:
        """Nobody calls from another thread."""
        self._internal_fds = 0

    def _close_self_pipe(self) -> None:
        """There is none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who had to be woken: a generator that is dropped has itself closed by this way, in this thread."""


def run(main: Callable[[], Any], rng: random.Random | None) -> Any:  # noqa: ANN401 - whatever ``main`` returns
    """Run a coroutine function in a loop of its own."""
    with asyncio.Runner(loop_factory=SeededLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SeededLoop)
        loop.shuffle(rng)
        return runner.run(main())
