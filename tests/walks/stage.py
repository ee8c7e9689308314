"""The sandbox with the product running in the same process, and everything settled after each step."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from bots.bootstrap import Doorman, open_doorman
from bots.platforms import installed
from bots.settings import Configuration, read_settings
from core.ids import PlatformName
from sandbox.clock import DEFAULT_START
from sandbox.faults import Fault, FaultKind
from sandbox.product import free_port
from sandbox.stripe.account import Account
from sandbox.stripe.model import Answer, Request
from sandbox.stripe.resource import Resource
from sandbox.town import Town, open_town
from storage.database import Session

log = logging.getLogger(__name__)
T = TypeVar("T")
DISCORD = PlatformName("discord")
PLATFORMS = installed()
"""Looked up once: it takes as long as all else that makes settings."""
PATIENCE = 20.0
"""Real seconds within which everything settles, on a machine that has other things to do."""


class Life:
    """One run of the product, from its start to its end or to the moment it is abandoned."""

    def __init__(self, configuration: Configuration, town: Town) -> None:
        self._configuration, self._town = configuration, town
        self._over = asyncio.Event()
        self._opened: asyncio.Future[Doorman] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Live until :meth:`end`."""
        try:
            async with open_doorman(self._configuration, clock=self._town.clock, rng=random.Random(7)) as doorman:  # noqa: S311 - replayable
                self._opened.set_result(doorman)
                await self._over.wait()
        except BaseException as error:
            if not self._opened.done():
                self._opened.set_exception(error)
            elif self.over():
                raise
            log.info("the product was abandoned: %r", error)

    async def opened(self, prepare: Callable[[Doorman], None]) -> Doorman:
        """Return the program once it runs, was prepared and is connected."""
        doorman = await self._opened
        prepare(doorman)
        async with asyncio.timeout(PATIENCE):
            while not all(doorman.ready().values()):  # noqa: ASYNC110 - the gateway's client tells nobody
                await asyncio.sleep(0.002)
        return doorman

    def end(self) -> None:
        """Let it close as an operator would."""
        self._over.set()

    def over(self) -> bool:
        """Whether it was asked to close."""
        return self._over.is_set()


def _nothing(_doorman: Doorman) -> None:
    """Leave the product as it is."""


def as_it_is(_town: Town) -> Mapping[str, str]:
    """Prepare nothing: the product starts in an empty town with the settings the town gives it."""
    return {}


async def _nobody() -> None:
    """Clean up after nobody."""


@dataclass
class Stage:
    """A town and the product in it. Inside its ``async with`` the product may be started, stopped and started again."""

    town: Town
    database_url: str
    on_start: Callable[[Doorman], None] = _nothing
    """What to do to the product each time it has started."""
    on_abandon: Callable[[], Awaitable[None]] = _nobody
    """What to do once it is gone."""
    stripe_calls: list[str] = field(default_factory=list)
    """Method and path of every call to Stripe's API."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the product is set to besides, or instead of, what the town says."""
    _doorman: Doorman | None = None

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._listen_to_stripe()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()
        await self._group.__aexit__(None, None, None)

    @property
    def doorman(self) -> Doorman:
        """The product that runs now."""
        assert self._doorman is not None, "the product does not run"
        return self._doorman

    @property
    def stripe(self) -> Account:
        """Stripe's own account: what it holds is the truth about money."""
        return self.town.stripe.account

    def configuration(self) -> Configuration:
        """Return the product's settings, without the environment of this process."""
        environ = {**self.town.environment(self.database_url), "AUTO_MIGRATE": "false", **self.settings}
        return read_settings(environ, platforms=PLATFORMS)

    async def start(self) -> Doorman:
        """Start the product and return once it is ready and has nothing to do."""
        self._life = Life(self.configuration(), self.town)
        self._task = self._group.create_task(self._life.run())
        self._doorman = await self._life.opened(self.on_start)
        await self.settled()
        return self._doorman

    async def abandon(self) -> None:
        """Let the product end as by a power cut: what it says on its way out is said to nobody."""
        self._doorman = None
        self._task.cancel()
        await asyncio.wait([self._task])
        await self.on_abandon()

    async def stop(self) -> None:
        """Stop the product as an operator would."""
        if self._doorman is not None:
            self._doorman = None
            self._life.end()
            await asyncio.wait([self._task])

    # time and quiet

    async def settled(self) -> None:
        """Return once every webhook is delivered, every gateway event heard, and nothing is due."""
        doorman = self.doorman
        async with asyncio.timeout(PATIENCE):
            while True:
                await self.town.stripe.webhooks.settled()
                await self.town.slack.settled()
                await self._heard()
                await doorman.schedule.settled(PATIENCE)
                await doorman.dispatcher.settled(PATIENCE)
                if self._still(doorman):
                    return

    async def advance(self, **by: float) -> None:
        """Let time pass (``days``, ``hours``, ``minutes``), stopping wherever something happens at Stripe, and settle at each stop."""
        end = self.town.clock.now() + timedelta(**by)
        while (now := self.town.clock.now()) < end:
            stripe_next = self.town.stripe.model.main.next_due()
            steps = [end, *self.town.stripe.webhooks._waiting]
            if stripe_next is not None:
                steps.append(now + timedelta(seconds=stripe_next - now.timestamp()))
            self.town.clock.advance_to(min(end, max(min(steps), now + timedelta(seconds=1))))
            await self.settled()

    async def until(self, condition: Callable[[], object], **step: float) -> None:
        """Let time pass in steps until something is so, for what is tried again later and later; give up after 40 steps."""
        await self.settled()
        for _ in range(40):
            if condition():
                return
            await self.advance(**(step or {"seconds": 30}))
        assert condition(), "it never came to be"

    def _listen_to_stripe(self) -> None:
        """Note every call to Stripe's model; a page a person fills in is none."""
        model = self.town.stripe.model
        handle = model.handle

        def noting(request: Request) -> Answer:
            self.stripe_calls.append(f"{request.method} {request.path}")
            return handle(request)

        model.handle = noting  # type: ignore[method-assign]

    def _still(self, doorman: Doorman) -> bool:
        busy = any(turn.busy for turn in doorman.schedule._turns.values())
        return self.town.stripe.webhooks._quiet() and self._all_heard() and not busy and doorman.dispatcher._idle.is_set()

    def _all_heard(self) -> bool:
        adapter = self.doorman.base.adapters.get(DISCORD)
        if adapter is not None:
            gateway: Any = adapter._supervisor.gateway  # type: ignore[attr-defined]
            spoken = max((one.sequence for one in self.town.discord.model.hub.sessions.values() if one.wake), default=0)
            if gateway.connected and (gateway.ws.sequence or 0) < spoken:
                return False
        return self.town.slack.deliveries._quiet() and not any(task.get_name().startswith("discord on_") for task in asyncio.all_tasks())

    async def _heard(self) -> None:
        while not self._all_heard():  # noqa: ASYNC110 - the gateway's client tells nobody what it has read
            await asyncio.sleep(0.002)

    # what goes wrong, and what happens at once

    @contextmanager
    def webhooks_lost(self) -> Iterator[None]:
        """Let no webhook be sent while the block lasts; what it would have said can only be asked for."""
        plan = self.town.wire.faults
        fault = plan.add(Fault("stripe", FaultKind.DROP, route="^WEBHOOK ", times=None))
        try:
            yield
        finally:
            plan.lift(fault)

    @staticmethod
    async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
        """Do things at the same time and return what came of each."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
        return [task.result() for task in tasks]

    # looking

    def changes(self) -> list[str]:
        """Return every call that changed, or tried to change, something at a vendor, oldest first."""
        made = [f"{method} {path}" for method, path in self.town.discord.rest.calls if method != "GET"]
        return made + [one for one in self.stripe_calls if not one.startswith("GET ")]

    async def rows(self, query: Any) -> list[Any]:  # noqa: ANN401 - whatever is asked for
        """Return what a query finds in the product's database."""
        async with self.doorman.base.db.reading() as session:
            return await _all(session, query)

    def charges(self, *, paid: bool = True) -> list[Resource]:
        """Return Stripe's charges, oldest first: those that went through, or those that did not."""
        return [one for one in self.stripe.table("charge") if one["paid"] is paid]

    def subscriptions(self) -> list[Resource]:
        """Return Stripe's subscriptions, oldest first."""
        return list(self.stripe.table("subscription"))


async def _all(session: Session, query: Any) -> list[Any]:  # noqa: ANN401
    return list((await session.execute(query)).scalars())


@asynccontextmanager
async def open_stage(
    database_url: str,
    *,
    record: Path | None = None,
    members_intent: bool = True,
    prepare: Callable[[Town], Mapping[str, str]] = as_it_is,
) -> AsyncIterator[Stage]:
    """Open the sandbox on a clock that stands still, and start the product in it.

    ``members_intent``: Discord tells who comes and goes. ``prepare`` is called before the start and returns what to set besides.
    """
    url = f"http://127.0.0.1:{free_port()}"
    async with (
        open_town(url, start=DEFAULT_START, flowing=False, record=record, limits="off") as town,
        Stage(town, database_url) as stage,
    ):
        town.discord.bot_members_intent = members_intent
        stage.settings = prepare(town)
        await stage.start()
        yield stage
