"""Sends events to their endpoints: signed, in the background, tried again when they fail."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import aiohttp

from core.clock import Clock
from sandbox.faults import Fault, FaultKind
from sandbox.stripe.account import Account
from sandbox.stripe.events import note_delivery
from sandbox.stripe.resource import Resource
from sandbox.stripe.signature import sign
from sandbox.wire import Wire

QUICK = (0.0, 0.2, 1.0, 5.0)
"""Real seconds before each of the first attempts."""
SLOW = tuple(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 24))
"""Sandbox time before each retry after those; then the vendor gives up, three days in."""
TIMEOUT = aiohttp.ClientTimeout(total=30)
AT_ONCE = 100


@dataclass(slots=True)
class Delivery:
    """One event on its way to one endpoint; ``followers`` were held back until it has been tried."""

    account: Account
    event: Resource
    endpoint: Resource
    followers: list["Delivery"] = field(default_factory=list)


class Webhooks:
    """Delivers while it is open (``async with``). ``clock`` is the sandbox's; ``signing`` gives the time that is signed."""

    def __init__(self, clock: Clock, signing: Clock, wire: Wire) -> None:
        self._clock, self._signing, self._wire = clock, signing, wire
        self._session: aiohttp.ClientSession | None = None
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._waiting: list[datetime] = []
        self._changed = asyncio.Condition()
        self._held: dict[str, list[Delivery]] = {}
        self._tried: set[tuple[str, str]] = set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=AT_ONCE))
        self._group = await asyncio.TaskGroup().__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in list(self._tasks):
            task.cancel()
        group, session, self._group, self._session = self._group, self._session, None, None
        if group is not None:
            await group.__aexit__(None, None, None)
        if session is not None:
            await session.close()

    def send(self, account: Account, event: Resource) -> None:
        """Start the deliveries of a new event, as the fault plan lets them. While closed, events stay pending."""
        for endpoint in self._endpoints(account, event):
            fault = self._wire.faults.take("stripe", f"WEBHOOK {event['type']}")
            self._dispatch(Delivery(account, event, endpoint), fault)

    def redeliver(self, account: Account, event: Resource) -> None:
        """Send an event once more to every endpoint it was addressed to, delivered before or not."""
        for endpoint in self._endpoints(account, event):
            self._start(Delivery(account, event, endpoint))

    def release(self) -> None:
        """Send what was held back to come after a next event, though none came."""
        held, self._held = self._held, {}
        for deliveries in held.values():
            for delivery in deliveries:
                self._start(delivery)

    async def settled(self) -> None:
        """Return once nothing is under way: all is delivered, or waits for the sandbox's clock to move."""
        async with self._changed:
            await self._changed.wait_for(self._quiet)

    async def first_attempt(self, event: Resource, seconds: float) -> None:
        """Wait until every endpoint of ``event`` was tried once, but no longer than ``seconds``."""
        keys = {(event.id, endpoint) for endpoint in event.hidden["deliveries"]}
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._quiet() or keys <= self._tried)
        except TimeoutError:
            return

    @staticmethod
    def _endpoints(account: Account, event: Resource) -> list[Resource]:
        tables = [each.table("webhook_endpoint") for each in (account, account.platform) if each is not None]
        found = [table.find(identifier) for identifier in event.hidden["deliveries"] for table in tables]
        return [row for row in found if row is not None]

    def _dispatch(self, delivery: Delivery, fault: Fault | None) -> None:
        endpoint = delivery.endpoint.id
        if fault is not None and fault.kind is FaultKind.REORDER:
            self._held.setdefault(endpoint, []).append(delivery)
            return
        if fault is not None and fault.kind is FaultKind.DROP:
            return
        delivery.followers = self._held.pop(endpoint, [])
        if fault is not None and fault.kind is FaultKind.DELAY:
            self._start(delivery, timedelta(seconds=fault.seconds))
            return
        for _ in range(fault.copies if fault is not None else 1):
            self._start(delivery)

    def _start(self, delivery: Delivery, wait: timedelta = timedelta()) -> None:
        if self._group is None:
            return
        self._busy += 1
        self.spawn(self._deliver(delivery, wait))

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run ``work`` until it ends or this closes."""
        if self._group is None:
            work.close()
            return
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery, wait: timedelta) -> None:
        try:
            if wait:
                await self._wait(wait)
            if not await self._persist(delivery):
                note_delivery(delivery.account, delivery.event, delivery.endpoint.id, "failed")
        finally:
            self._busy -= 1
            async with self._changed:
                self._changed.notify_all()

    async def _persist(self, delivery: Delivery) -> bool:
        for pause in QUICK:
            await asyncio.sleep(pause)
            if await self._attempt(delivery):
                return True
        for later in SLOW:
            await self._wait(later)
            if await self._attempt(delivery):
                return True
        return False

    async def _wait(self, pause: timedelta) -> None:
        """Sleep by the sandbox's clock, which does not count as being under way."""
        moment = self._clock.now() + pause
        with self._resting(moment):
            async with self._changed:
                self._changed.notify_all()
            await self._clock.sleep_until(moment)

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
        """Whether all that remains waits for a later time; one that was woken counts as under way before it runs."""
        now = self._clock.now()
        return self._busy == 0 and all(moment > now for moment in self._waiting)

    async def _attempt(self, delivery: Delivery) -> bool:
        """Post once; True when it arrived, or when there is no use in trying again."""
        if delivery.endpoint["status"] != "enabled":
            return False
        arrived = await self._post(delivery)
        self._tried.add((delivery.event.id, delivery.endpoint.id))
        if arrived:
            note_delivery(delivery.account, delivery.event, delivery.endpoint.id, "delivered")
        followers, delivery.followers = delivery.followers, []
        for follower in followers:
            self._start(follower)
        async with self._changed:
            self._changed.notify_all()
        return arrived

    async def _post(self, delivery: Delivery) -> bool:
        if self._session is None:
            return False
        body = json.dumps(delivery.event)
        signature = sign(delivery.endpoint.hidden["secrets"], int(self._signing.now().timestamp()), body)
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature, "User-Agent": "Stripe/1.0"}
        try:
            async with self._session.post(delivery.endpoint["url"], data=body.encode(), headers=headers, allow_redirects=False) as answer:
                return 200 <= answer.status < 300  # noqa: PLR2004 - success
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
