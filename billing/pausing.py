"""Pauses: nothing is paid and, once what was paid for is over, nothing is open; the place and the price are kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.subscription import Subscriptions
from core.clock import Clock
from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids
from core.payments import Interval, IntervalUnit, PaymentGateways
from core.people import Identity
from core.spans import plus
from storage import accounts, subscriptions
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.plans import PlanRow
from storage.subscriptions import SubscriptionRow

LONGEST = 3
"""Months, unless the creator says otherwise."""
AHEAD = timedelta(hours=1)
"""How long before a payment a pause ends: the processor skips what falls due while it lasts."""


@dataclass(frozen=True, slots=True)
class Paused:
    """What is paused: open until ``until`` still, and paid for again at ``resumes_at``."""

    plan: str
    until: datetime
    resumes_at: datetime


@dataclass(frozen=True, slots=True)
class Resumed:
    """What goes on; ``charged``: a new period began."""

    plan: str
    charged: bool
    period_end: datetime


class Pauses:
    """Pauses and resumes what somebody subscribes to."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions

    async def longest(self, community: CommunityId) -> int:
        """Return for how many months one may pause here; 0 for not at all."""
        async with self._db.reading() as session:
            row = await session.get_one(CommunityRow, community)
            return LONGEST if row.longest_pause is None else row.longest_pause

    async def pause(self, community: CommunityId, who: Identity, months: int, *, cause: CauseId) -> Paused:
        """Pause from the next payment on, for some months. Refusals ``no_pauses``, ``bad_pause``, and those of a subscription."""
        longest = await self.longest(community)
        if longest == 0:
            raise Refusal("no_pauses", "Memberships can't be paused here. /manage cancels, and you keep what you paid for until it ends.")
        if not 1 <= months <= longest:
            raise Refusal("bad_pause", f"A pause lasts 1 to {longest} months here.")
        async with self._db.reading() as session:
            row, plan = await only(session, community, who)
        if row.status not in {"active", "trialing"}:
            raise Refusal("payment_waiting", "A payment is waiting. /manage is where the card is put right; then pause.")
        if row.cancel_at is not None:
            raise Refusal(
                "already_cancelled", f"It is cancelled already, and ends on {row.cancel_at:%-d %B %Y}. There is nothing to pause."
            )
        if row.paused_until is not None:
            raise Refusal("paused_already", f"It is paused already, until {row.paused_until:%-d %B %Y}. /resume ends that sooner.")
        back = plus(row.period_end, Interval(IntervalUnit.MONTH, months))
        if back is None:
            raise ValueError("a pause ends")
        trail = Trail(self._ids, self._clock.now(), cause, who.actor)
        gateway = await self._gateways.of(row.stripe_account_id)
        snapshot = await gateway.pause(row.stripe_subscription_id, back - AHEAD, key=f"pause:{cause}")
        async with self._db.transaction() as session:
            await self._subscriptions.apply(session, row.stripe_account_id, snapshot, trail)
            record(session, trail, community, "subscription.paused", ("subscription", row.id), member=row.member_id,
                   after={"months": months})  # fmt: skip
        return Paused(plan.name, row.period_end, back - AHEAD)

    async def resume(self, community: CommunityId, who: Identity, *, cause: CauseId) -> Resumed:
        """End a pause now: at no charge while what was paid for lasts, else a new period begins. Refusal ``not_paused`` among others."""
        async with self._db.reading() as session:
            row, plan = await only(session, community, who)
        if row.paused_until is None:
            raise Refusal("not_paused", "Your membership is not paused. /status shows how it stands.")
        trail = Trail(self._ids, self._clock.now(), cause, who.actor)
        anew = row.paid_until is not None and row.paid_until <= trail.at
        gateway = await self._gateways.of(row.stripe_account_id)
        snapshot = await gateway.resume(row.stripe_subscription_id, anew=anew, key=f"resume:{cause}")
        async with self._db.transaction() as session:
            await self._subscriptions.apply(session, row.stripe_account_id, snapshot, trail)
            record(session, trail, community, "subscription.resumed", ("subscription", row.id), member=row.member_id)
        return Resumed(plan.name, anew, snapshot.period_end)


async def only(session: Session, community: CommunityId, who: Identity) -> tuple[SubscriptionRow, PlanRow]:
    """Return what somebody subscribes to. Refusals ``no_subscription``, ``several_subscriptions``."""
    account = await accounts.find(session, community, who)
    rows = await subscriptions.going_on(session, account.member_id) if account else []
    if not rows:
        raise Refusal("no_subscription", "You have no subscription here, so nothing is charged. /status shows what you have.")
    if len(rows) > 1:
        raise Refusal("several_subscriptions", f"You have {len(rows)} subscriptions here. The page that /manage opens changes each.")
    return rows[0], await session.get_one(PlanRow, rows[0].plan_id)
