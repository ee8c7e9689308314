"""Every subscription of an account against our rows: what differs is looked at again, and nothing is concluded from a list."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

from core.ids import CommunityId, StripeAccountId
from core.payments import PaymentGateway, SubscriptionSnapshot
from storage import comparing
from storage.database import Database
from storage.overdue import SubscriptionRef
from storage.subscriptions import SubscriptionRow

CHUNK = 200
_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class Differences:
    """What to look at again: subscriptions we hold, by community, and ones of our orders that we do not hold yet."""

    held: dict[CommunityId, set[SubscriptionRef]] = field(default_factory=dict)
    new: set[SubscriptionRef] = field(default_factory=set)
    credible: bool = True
    """False when the list is empty and our rows are not: more likely the wrong key than the truth."""

    def add(self, community: CommunityId, ref: SubscriptionRef) -> None:
        """Have a subscription of a community looked at again."""
        self.held.setdefault(community, set()).add(ref)


async def compare(db: Database, gateway: PaymentGateway, account: StripeAccountId) -> Differences:
    """List every subscription of the account and return where our rows differ. May raise ExternalError."""
    found, seen = Differences(), False
    async with db.reading() as session:
        unseen = await comparing.going_on(session, account)
    async for listed in chunks(gateway.subscriptions(), CHUNK):
        seen = True
        async with db.reading() as session:
            rows = await comparing.subscriptions(session, account, [snapshot.external_id for snapshot in listed])
            strangers = [snapshot for snapshot in listed if snapshot.reference and snapshot.external_id not in rows]
            ours = await comparing.our_orders(session, account, [snapshot.reference for snapshot in strangers])
        found.new.update(SubscriptionRef(account, snapshot.external_id) for snapshot in strangers if snapshot.reference in ours)
        for snapshot in listed:
            row = rows.get(snapshot.external_id)
            unseen.pop(snapshot.external_id, None)
            if row is not None and differs(row, snapshot):
                found.add(row.community_id, SubscriptionRef(account, snapshot.external_id))
    if unseen and not seen:
        _log.error("the processor lists no subscription and we hold %d: nothing is concluded from that", len(unseen))
        found.credible = False
        return found
    for external_id, community in unseen.items():
        found.add(community, SubscriptionRef(account, external_id))
    return found


def differs(row: SubscriptionRow, snapshot: SubscriptionSnapshot) -> bool:
    """Whether our row says something else than the processor."""
    ends = snapshot.period_end if snapshot.cancel_at_period_end else snapshot.cancel_at
    same = (row.status, row.period_end, row.cancel_at) == (snapshot.status, snapshot.period_end, ends)
    same = same and row.paused_until == snapshot.resumes_at and (row.next_price_id is not None) == (snapshot.waits or snapshot.planned)
    return not same or row.stripe_price_id not in snapshot.prices


async def chunks(things: AsyncIterator[T], size: int) -> AsyncIterator[list[T]]:
    """Yield the things in lists of up to ``size``."""
    chunk: list[T] = []
    async for thing in things:
        chunk.append(thing)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
