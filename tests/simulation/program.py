"""One process of the product over in-memory ports: started, asked, ended as an operator would, or as a power cut does."""

import asyncio
import contextvars
import logging
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from billing.gateways import Gateways
from billing.stripe.accounts import GatewayPool
from billing.webhook import StripeWebhooks
from bots.dispatcher import AsyncioDispatcher
from bots.drains import build_drains
from bots.foundation import Foundation, prepare_rows
from bots.jobs import catch_up, drift, sweeper
from bots.router import Router
from bots.scheduler import Job
from bots.settings import Configuration
from bots.use_cases import UseCases, build_use_cases
from core.causality import Origin, new_cause
from core.clock import Clock, SystemClock
from core.errors import ExternalError
from core.ids import Ids
from sandbox.clock import VirtualClock
from sandbox.mark import MARK
from sandbox.memory import MemoryAdapter, MemoryWorld
from sandbox.memory.world import NAME
from sandbox.stripe.model import StripeModel
from storage import retrying
from storage.audit import Trail
from storage.credentials import CredentialStore
from storage.database import Database
from storage.engine import Engines, create_engines
from storage.inbox import GroupCommit
from storage.vault import Vault
from tests.bots.bench import configuration
from tests.simulation.disk import Disk, SameThreadConnection
from tests.simulation.loop import LIVING, SeededLoop
from tests.simulation.wires import StripeWire, WiredAdapter
from tests.walks.power import Power, PowerPlan

T = TypeVar("T")
AWAY = (DBAPIError, PoolTimeout, OSError)
"""What a caller meets while the database restarts."""
PATIENCE = 5.0
"""Virtual seconds without anything to do after which what still waits, waits for the clock."""
STRIPE_URL = "http://127.0.0.1:1"
log = logging.getLogger(__name__)


class Gone(Exception):  # noqa: N818 - it is what happened
    """The process went while somebody waited for its answer."""


@dataclass
class Slot:
    """Engines for one process at a time, kept from history to history: compiling each statement anew takes longest of all."""

    engines: Engines
    disk: Disk | None = None
    owner: str = ""
    opened: list[SameThreadConnection] = field(default_factory=list)

    def connect(self) -> SameThreadConnection:
        """Open a connection to the database of the history that runs now."""
        assert self.disk is not None
        self.opened.append(SameThreadConnection(self.disk, self.owner))
        return self.opened[-1]

    async def close(self) -> None:
        """Let go of everything that is open."""
        with suppress(*AWAY):
            await self.engines.dispose()
        for connection in self.opened:
            connection.drop()
        self.opened.clear()


@cache
def slot(number: int) -> Slot:
    """Return the place of the process of this number."""
    vault = Vault([f"the key of the simulations, long enough {MARK}"])
    return Slot(create_engines("sqlite:////dev/null/simulation", vault, connect=lambda: slot(number).connect()))


@cache
def settings() -> Configuration:
    """Return the settings of every process."""
    return configuration(MemoryAdapter(MemoryWorld(), VirtualClock()), STRIPE_API_URL=STRIPE_URL)


class Skewed:
    """A clock that goes wrong by so much."""

    def __init__(self, clock: Clock, by: timedelta) -> None:
        self._clock, self._by = clock, by

    def now(self) -> datetime:
        return self._clock.now() + self._by

    async def sleep_until(self, moment: datetime) -> None:
        await self._clock.sleep_until(moment - self._by)


@dataclass
class Machine:
    """What a process runs on and talks to."""

    clock: Clock
    ids: Ids
    rng: random.Random
    disk: Disk
    model: StripeModel
    secret: str
    world: MemoryWorld
    plan: PowerPlan
    power: Power


class Program:
    """A process. ``owner`` is how it names itself on lanes."""

    def __init__(self, machine: Machine, number: int, owner: str) -> None:
        self.machine, self.number, self.owner = machine, number, owner
        self.power = machine.power
        self.adapter = WiredAdapter(machine.world, machine.clock, machine.plan)
        self.tasks: set[asyncio.Task[Any]] = set()
        self.base: Foundation
        self.cases: UseCases
        self.dispatcher: AsyncioDispatcher
        self.jobs: list[Job] = []
        self.bugs: list[str] = []
        self._context = contextvars.copy_context()
        self._context.run(LIVING.set, self)
        self._over = asyncio.Event()

    @property
    def alive(self) -> bool:
        """Whether it runs, and would answer."""
        return not self.power.gone.is_set() and not self._over.is_set()

    async def start(self) -> None:
        """Start; Gone when it goes on the way."""
        opened = asyncio.get_running_loop().create_future()
        self._life = self._spawn(self._live(opened))
        await asyncio.wait({self._life, opened}, return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            opened.cancel()
            raise Gone

    async def stop(self) -> None:
        """End as an operator would have it."""
        self._over.set()
        await asyncio.wait({self._life})
        await slot(self.number).close()

    async def abandon(self) -> None:
        """End as a power cut does: nothing is written any more, nobody hears what it says on its way out."""
        self.power.gone.set()
        self._over.set()
        while running := [task for task in self.tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=1)
        self._life.cancelled() or self._life.exception()  # what it said on its way out
        await slot(self.number).close()

    async def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the process do something for somebody; Gone when it goes meanwhile."""
        if not self.alive:
            work.close()
            raise Gone
        return await self._or_gone(self._spawn(work))

    async def settled(self) -> None:
        """Return once nothing is to be done at this moment of the clock; Gone when the process goes meanwhile."""
        while True:
            try:
                await self.ask(self.dispatcher.settled(PATIENCE))
            except TimeoutError:
                return
            except AWAY:
                await asyncio.sleep(0.1)
            else:
                return

    async def look(self) -> None:
        """Let every job have its turn."""
        turns = [self._spawn(self._turn(job)) for job in self.jobs]
        for turn in turns:
            await self._or_gone(turn)

    async def receive(self, body: bytes, signature: str) -> None:
        """Take a delivery in."""
        await self.ask(self._webhooks.receive("", body, signature))

    async def _turn(self, job: Job) -> None:
        try:
            await job.run()
        except (ExternalError, *AWAY):
            log.info("%s was cut short", job.name)
        except Exception as error:  # noqa: BLE001 - the scheduler would log it
            self.bugs.append(f"{job.name}: {type(error).__name__}: {error}")

    async def _or_gone(self, task: "asyncio.Task[T]") -> T:
        gone = asyncio.get_running_loop().create_task(self.power.gone.wait())
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if self.power.gone.is_set() or task.cancelled():
            raise Gone
        return task.result()

    def _spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SeededLoop)
        return loop.create_task(work, context=self._context.copy())

    async def _live(self, opened: "asyncio.Future[None]") -> None:
        async with self._open():
            opened.set_result(None)
            await self._over.wait()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        on, place = self.machine, slot(self.number)
        place.disk, place.owner = on.disk, self.owner
        db = Database(place.engines)
        db.before_commit = self.power.before_commit
        pool = GatewayPool(on.clock, api_url=STRIPE_URL, retries=0)
        pool._http = StripeWire(on.model, on.plan)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(pool)
            gateways = Gateways(db=db, pool=pool, environment_keys=[on.model.api_key])
            credentials = CredentialStore(db, on.clock)
            self.base = Foundation(settings(), on.clock, on.ids, on.rng, db, gateways, credentials, {NAME: self.adapter})
            await prepare_rows(db, on.clock)
            async with db.transaction() as session:
                await retrying.revive(session, Trail(on.ids, on.clock.now(), new_cause(on.ids, Origin.START)))
            self.cases = build_use_cases(self.base)
            self.dispatcher = AsyncioDispatcher(db, on.clock, self.owner, build_drains(self.base, self.cases), grace=1)
            await stack.enter_async_context(self.dispatcher)
            group = await stack.enter_async_context(GroupCommit(db))
            self._webhooks = StripeWebhooks(
                **self.base.tools(), group=group, environment_secrets=[on.secret], unix_now=lambda: SystemClock().now().timestamp()
            )
            self.jobs = [
                Job("catch-up", timedelta(minutes=10), catch_up(self.base, self.cases).run),
                Job("sweep", timedelta(minutes=1), sweeper(self.base, self.cases).run),
                Job("drift", timedelta(minutes=5), drift(self.base).run),
            ]
            await self.adapter.start(Router(group=group, clock=on.clock, ids=on.ids))
            yield
            await self.adapter.close()
