"""Leaving: the reason is asked, something may be offered to stay, and what was paid for is kept to its end."""

from dataclasses import dataclass
from datetime import datetime

from billing.pausing import LONGEST, only
from billing.subscription import Subscriptions
from core.clock import Clock
from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids
from core.payments import PaymentGateways
from core.people import Identity
from core.promotions import Discount
from storage import cancellations
from storage.audit import Trail, record
from storage.cancellations import CancellationRow, Outcome
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.subscriptions import SubscriptionRow

REASONS = {
    "too_expensive": "It costs too much",
    "unused": "I don't use it enough",
    "missing_features": "Something is missing",
    "switched_service": "I found something else",
    "low_quality": "It is not what I hoped for",
    "other": "Another reason",
}
"""The processor's words, and how they are asked (docs.stripe.com/api/subscriptions/object, cancellation_details.feedback)."""
MOST_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Leaving:
    """What somebody is about to leave, when it would end, and what they are offered to stay: ``percent`` off, a pause, both or nothing."""

    plan: str
    ends_at: datetime
    percent: int | None
    months: int | None
    pause: bool


class Cancellations:
    """Lets people go, and keeps the reasons."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions

    async def look(self, community: CommunityId, who: Identity) -> Leaving:
        """Return what would end. Refusals ``no_subscription``, ``several_subscriptions``, ``already_cancelled``."""
        async with self._db.reading() as session:
            row, plan = await only(session, community, who)
            _check(row)
            terms = await session.get_one(CommunityRow, community)
            paying = row.status in {"active", "trialing"} and row.paused_until is None
            offer = terms.save_percent if paying and not await cancellations.saved(session, row.id) else None
            pauses = LONGEST if terms.longest_pause is None else terms.longest_pause
            return Leaving(plan.name, row.period_end, offer, terms.save_months, pause=paying and pauses > 0)

    async def cancel(self, community: CommunityId, who: Identity, reason: str, *, cause: CauseId) -> Leaving:
        """Cancel to the period's end: what was paid for stays. Refusals as :meth:`look`, ``bad_reason``."""
        _known(reason)
        leaving = await self.look(community, who)
        async with self._db.reading() as session:
            row, _ = await only(session, community, who)
        trail = Trail(self._ids, self._clock.now(), cause, who.actor)
        gateway = await self._gateways.of(row.stripe_account_id)
        snapshot = await gateway.cancel_subscription(row.stripe_subscription_id, at_period_end=True, key=f"cancel:{cause}", reason=reason)
        async with self._db.transaction() as session:
            await self._subscriptions.apply(session, row.stripe_account_id, snapshot, trail)
            self._note(session, row, reason, Outcome.CANCELLED, trail)
        return leaving

    async def stay(self, community: CommunityId, who: Identity, reason: str, *, cause: CauseId) -> Leaving:
        """Take the offer: something off the next payments, once for a subscription. Refusal ``no_offer`` among those of :meth:`look`."""
        _known(reason)
        leaving = await self.look(community, who)
        if leaving.percent is None:
            raise Refusal("no_offer", "There is nothing to offer you any more. /manage is where you cancel, or go on as you are.")
        async with self._db.reading() as session:
            row, _ = await only(session, community, who)
        trail = Trail(self._ids, self._clock.now(), cause, who.actor)
        off = Discount(percent=leaving.percent, amount=None, months=leaving.months, name=f"{leaving.percent} % off")
        gateway = await self._gateways.of(row.stripe_account_id)
        snapshot = await gateway.discount(row.stripe_subscription_id, off, key=f"stay:{row.id}")
        async with self._db.transaction() as session:
            await self._subscriptions.apply(session, row.stripe_account_id, snapshot, trail)
            self._note(session, row, reason, Outcome.SAVED, trail)
        return leaving

    async def offer(
        self, community: CommunityId, percent: int | None, months: int | None, longest_pause: int | None, *, actor: str, cause: CauseId
    ) -> CommunityRow:
        """Set what whoever cancels is offered; None leaves as it is, a percentage of 0 takes the offer away.

        Refusals ``bad_percent``, ``bad_months``, ``bad_pause``.
        """
        if percent is not None and not 0 <= percent <= 100:  # noqa: PLR2004 - percent
            raise Refusal("bad_percent", "Offer 1 to 100 percent off; 0 offers nothing.")
        if months is not None and not 1 <= months <= MOST_MONTHS:
            raise Refusal("bad_months", f"Offer it for 1 to {MOST_MONTHS} months. Leave months out for one payment.")
        if longest_pause is not None and not 0 <= longest_pause <= MOST_MONTHS:
            raise Refusal("bad_pause", f"Let members pause for 1 to {MOST_MONTHS} months; 0 for not at all.")
        async with self._db.transaction() as session:
            row = await session.get_one(CommunityRow, community)
            if percent is not None:
                row.save_percent, row.save_months = percent or None, months
            row.longest_pause = row.longest_pause if longest_pause is None else longest_pause
            session.add(row)
            facts = {"percent": row.save_percent, "months": row.save_months, "longest_pause": row.longest_pause}
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            record(session, trail, community, "community.retention_set", ("community", community), after=facts)
            return row

    def _note(self, session: Session, row: SubscriptionRow, reason: str, outcome: Outcome, trail: Trail) -> None:
        session.add(CancellationRow(
            id=trail.ids.new(), community_id=row.community_id, member_id=row.member_id, subscription_id=row.id, reason=reason,
            outcome=outcome, at=trail.at))  # fmt: skip
        record(session, trail, row.community_id, f"subscription.{outcome}", ("subscription", row.id), member=row.member_id,
               after={"reason": reason})  # fmt: skip


def _known(reason: str) -> None:
    if reason not in REASONS:
        raise Refusal("bad_reason", "Choose one of the reasons: /manage asks for it again.")


def _check(row: SubscriptionRow) -> None:
    if row.cancel_at is not None:
        raise Refusal("already_cancelled", f"It is cancelled already, and ends on {row.cancel_at:%-d %B %Y}. /manage turns it back on.")
