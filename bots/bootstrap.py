"""Builds the whole program once, and takes it down in reverse: first what comes in stops, then what is under way is finished."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from aiohttp import web

from billing.webhook import StripeWebhooks
from bots.dispatcher import AsyncioDispatcher
from bots.drains import build_drains
from bots.foundation import Foundation, lay_foundation
from bots.jobs import catch_up, jobs
from bots.router import Router
from bots.scheduler import Schedule
from bots.settings import Configuration
from bots.use_cases import UseCases, build_use_cases
from core.clock import Clock, SystemClock
from core.errors import PermanentError
from core.ids import Ids
from core.platform import PlatformAdapter
from storage.inbox import GroupCommit
from web.app import create_runner
from web.keys import Services

logger = logging.getLogger(__name__)
WORK_GRACE = 15.0
"""Real seconds that lanes are given to finish when we close; with the pages' and the jobs' it stays under 25."""
LISTENING_GRACE = 3.5
"""The same for platforms to disconnect, and for what they sent last to be stored."""
PAGE_GRACE = 2.0
"""The same for requests that are being answered."""
IDENTITY_GRACE = 10.0
"""Real seconds that a start waits for the processor to say whose key it is."""


@runtime_checkable
class Jumping(Protocol):
    """A clock that can be moved, as a sandbox's."""

    def on_jump(self, listener: Callable[[datetime], None]) -> None:
        """Call ``listener(now)`` after every jump."""
        ...


@dataclass
class Doorman:
    """The running program."""

    base: Foundation
    cases: UseCases
    dispatcher: AsyncioDispatcher
    schedule: Schedule = field(init=False)
    health: dict[str, bool] = field(default_factory=dict)
    """What the last look found; the pages must not wait for the database to say that it is away."""
    base_url: str = ""
    """Where we listen, on this machine: ``http://127.0.0.1:8080``."""

    def ready(self) -> Mapping[str, bool]:
        """Return each thing that must be true before the world is let in, by name."""
        return {**self.health, **{name: adapter.connected for name, adapter in self.base.adapters.items()}}

    async def examine(self) -> None:
        """Look whether the database answers."""
        self.health["database"] = await self.base.db.ping()


@asynccontextmanager
async def open_doorman(
    configuration: Configuration,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    rng: random.Random | None = None,
    grants_only: bool = False,
) -> AsyncIterator[Doorman]:
    """Start everything; on leaving, drain for at most 25 s and close. What is unfinished then stands in rows: the next start goes on.

    Raises what :func:`bots.foundation.lay_foundation` raises, PermanentError ``wrong_account`` when the Stripe key is not of the
    account this database is about, and OSError when HOST and PORT cannot be listened on.
    """
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(lay_foundation(configuration, clock=clock, ids=ids, rng=rng, grants_only=grants_only))
        cases = build_use_cases(base)
        await _same_account(base, cases)
        dispatcher = AsyncioDispatcher(base.db, base.clock, f"process {base.ids.new()}", build_drains(base, cases), grace=WORK_GRACE)
        await stack.enter_async_context(dispatcher)
        group = await stack.enter_async_context(GroupCommit(base.db))
        doorman = Doorman(base, cases, dispatcher)
        await doorman.examine()
        doorman.schedule = await stack.enter_async_context(Schedule(jobs(base, cases, doorman.examine)))
        if isinstance(base.clock, Jumping):
            base.clock.on_jump(doorman.schedule.look_again)
        router = Router(group=group, clock=base.clock, ids=base.ids)
        doorman.base_url = await stack.enter_async_context(_listen(doorman, router, group))
        stack.push_async_callback(_stop_listening, base.adapters.values())
        for adapter in base.adapters.values():
            await adapter.start(router)
        yield doorman
        logger.info("closing: nothing new is taken in, what is under way is finished")


async def _stop_listening(adapters: Iterable[PlatformAdapter]) -> None:
    """Have platforms send to whoever comes next while we still can store what they sent already."""
    try:
        async with asyncio.timeout(LISTENING_GRACE), asyncio.TaskGroup() as stopping:
            for adapter in adapters:
                stopping.create_task(adapter.stop_listening())
    except TimeoutError:
        logger.warning("what a platform sent last could not be stored in time")


async def _same_account(base: Foundation, cases: UseCases) -> None:
    """Refuse a key of another account or mode before anything comes in: its deliveries would be set aside, and ours never come.

    A processor that cannot be reached does not prevent the start.
    """
    try:
        async with asyncio.timeout(IDENTITY_GRACE):
            stranger = await catch_up(base, cases).identity()
    except TimeoutError:
        logger.warning("Stripe does not say yet which account the key is of; starting without")
        return
    if stranger:
        raise PermanentError(stranger, code="wrong_account")


@asynccontextmanager
async def _listen(doorman: Doorman, router: Router, group: GroupCommit) -> AsyncIterator[str]:
    """Serve the pages and the webhooks; yields where."""
    base, settings = doorman.base, doorman.base.configuration.settings
    webhooks = StripeWebhooks(
        **base.tools(),
        group=group,
        environment_secrets=[secret.get_secret_value() for secret in settings.stripe_webhook_secret],
        unix_now=lambda: SystemClock().now().timestamp(),
    )
    services = Services(
        public_url=settings.public_url,
        adapters=base.adapters,
        invites=doorman.cases.desk.invites,
        checkouts=doorman.cases.desk.checkouts,
        statuses=doorman.cases.desk.statuses,
        tips=doorman.cases.desk.tips,
        installs=doorman.cases.installs,
        linking=doorman.cases.desk.linking,
        gifts=doorman.cases.desk.gifts,
        waitlist=doorman.cases.desk.waitlist,
        webhooks=webhooks,
        database=base.db,
        clock=base.clock,
        ids=base.ids,
        credentials=base.credentials,
        inbound=router,
        ready=doorman.ready,
    )
    runner = create_runner(services, grace=PAGE_GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        host, port = runner.addresses[0][:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await runner.cleanup()
