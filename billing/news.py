"""What happened at the processor and did not reach us."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from billing.comparison import CHUNK, chunks
from billing.routing import ROUTES, Subject
from billing.several import Several
from core.clock import Clock
from core.dispatch import stripe_lane
from core.ids import Ids, StripeAccountId
from core.payments import EventSnapshot, PaymentGateway
from storage import comparing, inbox
from storage.database import Database
from storage.inbox import InboxKind, InboxRow, WorkStatus
from storage.overdue import SubscriptionRef


@dataclass(frozen=True, slots=True)
class Told:
    """An event, the subscription it is about, and the invoice of it that was given back in full, if one was."""

    event: EventSnapshot
    subscription: str
    refunded: str = ""

    @property
    def books(self) -> bool:
        """Whether there is more to it than its subscription: work of the account's lane."""
        return ROUTES[self.event.type] is not Subject.SUBSCRIPTION


@dataclass(slots=True)
class Missed:
    """Events that never came in: ``queued`` is how many the account's lane works off already.

    ``told`` are about subscriptions, for the caller to look at before any lane does; whose those without an answer are is not known yet.
    """

    queued: int = 0
    told: list[Told] = field(default_factory=list)
    unanswered: list[EventSnapshot] = field(default_factory=list)

    def about(self, account: StripeAccountId) -> set[SubscriptionRef]:
        """Return the subscriptions to look at."""
        return {SubscriptionRef(account, told.subscription) for told in self.told}

    def refunded(self, account: StripeAccountId) -> dict[SubscriptionRef, str]:
        """Return the last invoice given back in full of each subscription of which one was."""
        return {SubscriptionRef(account, told.subscription): told.refunded for told in self.told if told.refunded}


class News:
    """Reads an account's events and files them as if they had been delivered, save that nothing unweighed may end by them."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def missed(self, gateway: PaymentGateway, account: StripeAccountId, since: datetime, *, dry_run: bool) -> Missed:
        """Read the events since ``since``; those about subscriptions that go on are returned, the others are work of the account's lane.

        What came in and was given up is missed too.
        """
        async with self._db.reading() as session:
            source = await comparing.source(session, account)
            going_on = await comparing.going_on(session, account)
        missed = Missed()
        async for events in chunks(gateway.events(since, tuple(ROUTES), undelivered=False), CHUNK):
            async with self._db.reading() as session:
                known = await comparing.known_events(session, source, [event.external_id for event in events])
            new = [event for event in events if event.external_id not in known and event.type in ROUTES]
            others = await _sort(gateway, new, going_on, missed)
            missed.queued += len(others)
            if others and not dry_run:
                await self._file(source, account, others)
        return missed

    async def seen_to(self, account: StripeAccountId, told: Iterable[Told]) -> None:
        """File events whose subscription was looked at: what is left of them is for the books. A late delivery of one is no news."""
        async with self._db.reading() as session:
            source = await comparing.source(session, account)
        events = [one.event for one in told]
        for start in range(0, len(events), CHUNK):
            await self._file(source, account, events[start : start + CHUNK])

    async def _file(self, source: str, account: StripeAccountId, events: list[EventSnapshot]) -> None:
        now = self._clock.now()
        over = {event.external_id for event in events if ROUTES[event.type] is Subject.SUBSCRIPTION}
        rows = [
            InboxRow(
                id=self._ids.new(), kind=InboxKind.NEWS, source=source, event_id=event.external_id, type=event.type,
                object_id=event.object_id, lane=stripe_lane(account), payload=event.payload, received_at=now, due_at=now,
                status=WorkStatus.DONE if event.external_id in over else WorkStatus.PENDING,
                done_at=now if event.external_id in over else None,
            )
            for event in events
        ]  # fmt: skip
        async with self._db.transaction() as session:
            await inbox.add(session, rows)
            for status in (WorkStatus.DONE, WorkStatus.PENDING):
                await comparing.give_another_try(session, source, [row.event_id for row in rows if row.status is status], status, now)


async def _sort(gateway: PaymentGateway, events: Iterable[EventSnapshot], going_on: Collection[str], missed: Missed) -> list[EventSnapshot]:
    """Put events where they belong, and return those by which nothing that goes on can end."""
    asking, others, about = Several[str](), list[EventSnapshot](), dict[str, EventSnapshot]()
    found: dict[str, tuple[str, str]] = {}

    async def ask(object_id: str) -> None:
        found[object_id] = await _subscription_of(gateway, about[object_id])

    for event in events:
        if ROUTES[event.type] is Subject.SUBSCRIPTION:
            found[event.object_id] = event.object_id, ""
        elif going_on:
            about[event.object_id] = event
    await asking.each(about, ask)
    for event in events:
        subscription, refunded = found.get(event.object_id, ("", ""))
        if event.object_id in asking.unanswered:
            missed.unanswered.append(event)
        elif subscription in going_on or ROUTES[event.type] is Subject.SUBSCRIPTION:
            missed.told.append(Told(event, subscription, refunded))
        else:
            others.append(event)
    return others


async def _subscription_of(gateway: PaymentGateway, event: EventSnapshot) -> tuple[str, str]:
    """Return the subscription an event's object is of, and the invoice that was given back in full, each empty where there is none."""
    match ROUTES[event.type]:
        case Subject.CHECKOUT:
            return (await gateway.checkout(event.object_id)).subscription, ""
        case Subject.INVOICE:
            return (await gateway.invoice(event.object_id)).subscription, ""
        case Subject.DISPUTE | Subject.WARNING:
            return "", ""
        case _:
            payment = await gateway.payment(event.object_id)
            return payment.subscription, payment.invoice if payment.given_back else ""
