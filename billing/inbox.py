"""The drain of a Stripe account's lane: whatever came in, look at its object afresh, once for all that is said of it."""

import asyncio
import logging
import random
from collections.abc import Collection, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.dispute import Disputes
from billing.gift import Gifts
from billing.head_start import HeadStart
from billing.order import Orders
from billing.refund import Payments, Stopped
from billing.routing import ROUTES, Subject, subject_of
from billing.subscription import Also, Subscriptions
from billing.tip import Tips
from core.backoff import MAX_ATTEMPTS, backoff
from core.clock import Clock
from core.dispatch import Lane
from core.errors import ExternalError, KeyRefused, PermanentError, RateLimited, TransientError
from core.ids import CauseId, StripeAccountId
from core.payments import PaymentGateways
from core.pump import Found, pump
from storage import comparing, lanes, work
from storage.database import Database, Session
from storage.inbox import InboxKind, InboxRow
from storage.outbox import OutboxRow
from storage.work import Head

BATCH = 100
AT_ONCE = 8
"""How many objects of an account are looked at at the same time; Stripe's sandboxes take 25 calls a second."""
ACCESS = frozenset([Subject.SUBSCRIPTION, Subject.CHECKOUT])
KEY_TROUBLE = timedelta(minutes=5)
"""How often to try again while the key is refused: nothing is lost, somebody must act, and it never counts as an attempt."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Item:
    """All pending rows about one object."""

    subject: Subject | None
    object_id: str
    heads: tuple[Head, ...]

    @property
    def cause(self) -> CauseId:
        """What is behind everything that follows."""
        return CauseId(self.heads[0].cause)

    @property
    def key(self) -> tuple[Subject | None, str]:
        """What the rows are about."""
        return self.subject, self.object_id

    @property
    def live(self) -> bool:
        """Whether a webhook told of it; what catch-up found and what we look up ourselves ends nothing in a stopped community."""
        return any(head.kind == InboxKind.STRIPE for head in self.heads)

    @property
    def since(self) -> datetime | None:
        """When the last of the rows came in; None when one of them asks for a fresh look whatever is known."""
        came = [head.came for head in self.heads if head.came is not None]
        return max(came) if len(came) == len(self.heads) else None


class StripeInbox:
    """Works off a Stripe account's lane."""

    def __init__(  # noqa: PLR0913 - a delivery may be about as many things
        self,
        *,
        db: Database,
        clock: Clock,
        gateways: PaymentGateways,
        subscriptions: Subscriptions,
        orders: Orders,
        tips: Tips,
        gifts: Gifts,
        payments: Payments,
        disputes: Disputes,
        rng: random.Random,
    ) -> None:
        self._db = db
        self._clock = clock
        self._gateways = gateways
        self._subscriptions = subscriptions
        self._orders = orders
        self._tips = tips
        self._gifts = gifts
        self._payments = payments
        self._disputes = disputes
        self._rng = rng
        self._head_start = HeadStart()

    async def drain(self, lane: Lane, epoch: int) -> datetime | None:
        """Carry out what is due; see core.dispatch.Drain."""
        account = StripeAccountId(lane.partition(":")[2])
        places = asyncio.Semaphore(AT_ONCE)

        async def find(busy: frozenset[Hashable]) -> Found:
            async with self._db.glance() as session:
                heads = await work.heads(session, lane, self._clock.now(), BATCH)
            waiting = [item for item in _items(heads) if item.key not in busy]
            chosen = _first(waiting, busy)
            crowded = len(heads) >= BATCH
            jobs: dict[Hashable, Coroutine[Any, Any, None]] = {
                item.key: self._in_turn(account, lane, epoch, item, places) for item in self._ordered(chosen, crowded=crowded)
            }
            return Found(jobs, more=len(chosen) < len(waiting) or crowded)

        await pump(find, self._db.woken(lane))
        async with self._db.glance() as session:
            return await work.next_due(session, lane)

    def _ordered(self, items: Sequence[_Item], *, crowded: bool) -> list[_Item]:
        """Return first looks at subscriptions first, and give what follows from them a head start.

        In a crowd nothing waits for that: what waits would keep those out who stand behind it.
        """
        first = [item for item in items if self._is_first_look(item)]
        if first and not crowded:
            self._head_start.give()
        return [*first, *(item for item in items if item not in first)]

    def _is_first_look(self, item: _Item) -> bool:
        return item.subject is Subject.SUBSCRIPTION and not self._subscriptions.asked(item.object_id)

    async def _in_turn(self, account: StripeAccountId, lane: Lane, epoch: int, item: _Item, places: asyncio.Semaphore) -> None:
        if not self._is_first_look(item):
            await self._head_start.over()
        async with places:
            await self._carry_out(account, lane, epoch, item)

    async def _carry_out(self, account: StripeAccountId, lane: Lane, epoch: int, item: _Item) -> None:
        error: Exception | None = None
        ended = False

        async def end(session: Session) -> None:
            nonlocal ended
            await lanes.fence(session, lane, epoch)
            await self._record(session, item, None)
            ended = True

        try:
            await self._look(account, item, end)
        except ExternalError as problem:
            error = problem
        except lanes.Fenced:
            raise
        except Exception as problem:  # noqa: BLE001 - a poisoned event must not hold up the others
            _log.exception("event %s about %s failed", item.cause, item.object_id)
            error = problem
        if ended and error is None:
            return
        async with self._db.transaction() as session:
            await lanes.fence(session, lane, epoch)
            await self._record(session, item, error)

    async def _look(self, account: StripeAccountId, item: _Item, end: Also) -> None:
        """Make our rows equal what the processor says; ``end`` is done with the change where there is one change."""
        match item.subject:
            case Subject.CHECKOUT:
                await self._checkout(account, item, end)
            case Subject.SUBSCRIPTION:
                await self._subscriptions.refresh(account, item.object_id, cause=item.cause, since=item.since, also=end)
            case Subject.INVOICE:
                await self._payments.invoice(account, item.object_id, cause=item.cause, since=item.since, live=item.live, also=end)
            case Subject.PAYMENT:
                await self._payments.look(account, item.object_id, cause=item.cause, since=item.since, live=item.live, also=end)
            case Subject.DISPUTE:
                await self._disputes.look(account, item.object_id, cause=item.cause)
            case Subject.WARNING:
                await self._disputes.warned(account, item.object_id, cause=item.cause)
            case None:
                raise ValueError(f"{item.object_id} is about nothing we know")

    async def _checkout(self, account: StripeAccountId, item: _Item, end: Also) -> None:
        checkout = await (await self._gateways.of(account)).checkout(item.object_id)
        if checkout.kind == "tip":
            await self._tips.settle(account, checkout, cause=item.cause)
        elif checkout.kind == "gift":
            await self._gifts.settle(account, checkout, cause=item.cause)
        elif checkout.kind and not item.live and await self._waits(account, checkout.subscription):
            raise Stopped("the community is stopped until somebody has looked at what would end in it")
        elif checkout.kind:
            await self._orders.settle(account, checkout, cause=item.cause, since=item.since, also=end)

    async def _waits(self, account: StripeAccountId, subscription: str) -> bool:
        async with self._db.glance() as session:
            return await comparing.stopped(session, account, subscription)

    async def _record(self, session: Session, item: _Item, error: Exception | None) -> None:
        now = self._clock.now()
        came = [head.id for head in item.heads if head.came is not None]
        again = [head.id for head in item.heads if head.came is None]
        if error is None:
            await work.finish(session, InboxRow, came, now)
            await work.finish(session, OutboxRow, again, now)
            return
        attempts = max(head.attempts for head in item.heads)
        due, counted = _retry(error, attempts, self._rng.random())
        dead = _is_final(error, attempts + counted)
        why = f"{type(error).__name__}: {error}"[:500]
        _tell(item, error, why, dead=dead)
        await work.postpone(session, InboxRow, came, now + due, attempts + counted, why, dead=dead)
        await work.postpone(session, OutboxRow, again, now + due, attempts + counted, why, dead=dead)


def _items(heads: Sequence[Head]) -> list[_Item]:
    grouped: dict[tuple[Subject | None, str], list[Head]] = {}
    for head in heads:
        subject = ROUTES.get(head.type) if head.came is not None else subject_of(head.about)
        grouped.setdefault((subject, head.about), []).append(head)
    return [_Item(subject, object_id, tuple(found)) for (subject, object_id), found in grouped.items()]


def _first(items: Sequence[_Item], busy: Collection[Hashable]) -> Sequence[_Item]:
    """Choose what to look at now: what decides access before what is only booked, and books only while no access waits."""
    access = [item for item in items if item.subject in ACCESS]
    deciding = access or any(isinstance(key, tuple) and key[0] in ACCESS for key in busy)
    return (access if deciding else items)[: max(0, BATCH - len(busy))]


def _is_final(error: Exception, attempts: int) -> bool:
    """Whether to give up: never for what passes by itself or with the right key, at once for what does not exist."""
    if isinstance(error, TransientError | KeyRefused):
        return False
    return attempts >= MAX_ATTEMPTS or (isinstance(error, PermanentError) and error.code == "resource_missing")


def _tell(item: _Item, error: Exception, why: str, *, dead: bool) -> None:
    """Tell the operator what somebody must do something about: once for each row and each thing that is wrong with it."""
    for head in item.heads:
        if dead:
            _log.error("%s about %s is given up after %d tries: %s", head.id, item.object_id, head.attempts + 1, why)
        elif isinstance(error, PermanentError) and head.error != why:
            _log.error("%s about %s is refused and waits: %s", head.id, item.object_id, why)


def _retry(error: Exception, attempts: int, unit: float) -> tuple[timedelta, bool]:
    """Return when to try again, and whether this try counts: for the next pause, and towards giving up."""
    match error:
        case RateLimited():
            return timedelta(seconds=error.retry_after), False
        case KeyRefused() | Stopped():
            return KEY_TROUBLE, False
        case _:
            return backoff(attempts + 1, unit), True
