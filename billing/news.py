"""What happened at the processor and did not reach us."""

from dataclasses import dataclass, field
from datetime import datetime

from billing.comparison import CHUNK, chunks
from billing.routing import ROUTES, Subject
from core.clock import Clock
from core.dispatch import stripe_lane
from core.ids import Ids, StripeAccountId
from core.payments import EventSnapshot, PaymentGateway
from storage import comparing, inbox
from storage.database import Database
from storage.inbox import InboxKind, InboxRow, WorkStatus


@dataclass(slots=True)
class Missed:
    """Events that never came in: ``queued`` is how many the account's lane works off, ``subscriptions`` are for the caller to look at."""

    queued: int = 0
    subscriptions: list[EventSnapshot] = field(default_factory=list)


class News:
    """Reads an account's events and files them as if they had been delivered."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def missed(self, gateway: PaymentGateway, account: StripeAccountId, since: datetime, *, dry_run: bool) -> Missed:
        """Read the events since ``since``; those about subscriptions are returned, the others are work of the account's lane.

        What came in and was given up is missed too.
        """
        async with self._db.reading() as session:
            source = await comparing.source(session, account)
        missed = Missed()
        async for events in chunks(gateway.events(since, tuple(ROUTES), undelivered=False), CHUNK):
            async with self._db.reading() as session:
                known = await comparing.known_events(session, source, [event.external_id for event in events])
            new = [event for event in events if event.external_id not in known and event.type in ROUTES]
            missed.subscriptions += [event for event in new if ROUTES[event.type] is Subject.SUBSCRIPTION]
            others = [event for event in new if ROUTES[event.type] is not Subject.SUBSCRIPTION]
            missed.queued += len(others)
            if others and not dry_run:
                await self._file(source, account, others, WorkStatus.PENDING)
        return missed

    async def seen_to(self, account: StripeAccountId, events: list[EventSnapshot]) -> None:
        """File events that are dealt with, so that a late delivery of one is no news."""
        async with self._db.reading() as session:
            source = await comparing.source(session, account)
        for start in range(0, len(events), CHUNK):
            await self._file(source, account, events[start : start + CHUNK], WorkStatus.DONE)

    async def _file(self, source: str, account: StripeAccountId, events: list[EventSnapshot], status: WorkStatus) -> None:
        now = self._clock.now()
        rows = [
            InboxRow(
                id=self._ids.new(), kind=InboxKind.STRIPE, source=source, event_id=event.external_id, type=event.type,
                object_id=event.object_id, lane=stripe_lane(account), payload=event.payload, status=status, received_at=now, due_at=now,
                done_at=now if status is WorkStatus.DONE else None,
            )
            for event in events
        ]  # fmt: skip
        async with self._db.transaction() as session:
            await inbox.add(session, rows)
            await comparing.give_another_try(session, source, [event.external_id for event in events], status, now)
