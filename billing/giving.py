"""Time given to a member: after what they have, or, where they pay already, before their next payment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.entitlement import change
from billing.subscription import Subscriptions
from core.clock import Clock
from core.entitlement import Access, Verdict
from core.errors import PermanentError, Refusal
from core.ids import CommunityId, EntitlementId, Ids, MemberId, PlanId, SubscriptionId
from core.payments import Interval, PaymentGateways
from core.spans import Span, closed_up, plus
from storage import entitlements, extensions, subscriptions
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.extensions import ExtensionRow
from storage.subscriptions import SubscriptionRow

LEFT_BEHIND = timedelta(minutes=1)
"""After which somebody else asks the processor for a move whose own asker has not come back."""
BATCH = 100


@dataclass(frozen=True, slots=True)
class Given:
    """What a gift or a comp became: access until a moment (None for life), or a move of the next payment that is yet to be asked for."""

    until: datetime | None
    extension: ExtensionRow | None = None


async def give(
    session: Session,
    member: tuple[CommunityId, MemberId],
    plan: PlanId,
    interval: Interval,
    source: tuple[SourceKind, str],
    trail: Trail,
    *,
    paid: bool = False,
) -> Given:
    """Write what a member is given, once for each source. Refusals ``just_given``, and ``has_for_life`` unless it is ``paid`` already."""
    known = await entitlements.by_source(session, *source)
    moved = await extensions.of_source(session, source[1])
    if known is not None or moved is not None:
        return Given(moved.until, moved if moved.done_at is None else None) if moved else Given(known.expires_at if known else None)
    if not paid:
        await check_not_for_life(session, member, plan)
    held = [row for row in await entitlements.live(session, *member, plan) if row.expires_at is not None]
    paying = await subscriptions.renewing(session, member[1], plan)
    if paying is not None and interval.unit != "once":
        return await _later(session, paying, interval, source[1], trail)
    start = max([trail.at, *[await end_of(session, row) for row in held]])
    until = plus(start, interval)
    row = EntitlementRow(
        id=EntitlementId(trail.ids.new()), community_id=member[0], member_id=member[1], plan_id=plan, source_kind=source[0],
        source_id=source[1], starts_at=start, state=EntitlementState.ENDED, cause_id=trail.cause,
    )  # fmt: skip
    await change(session, row, Access(Verdict.OPEN, until), plan, trail)
    return Given(until)


async def check_not_for_life(session: Session, member: tuple[CommunityId, MemberId], plan: PlanId) -> None:
    """Refuse (``has_for_life``) what would add nothing."""
    if any(row.expires_at is None for row in await entitlements.live(session, *member, plan)):
        raise Refusal("has_for_life", "They have that plan for life already. Choose another plan, or keep it for somebody else.")


async def reopen(session: Session, held: EntitlementRow, trail: Trail) -> None:
    """Open again what a refund that failed had ended: what was left of it, after what its holder has by now."""
    if held.expires_at is None or held.state == EntitlementState.ACTIVE:
        await change(session, held, Access(Verdict.OPEN, held.expires_at), held.plan_id, trail)
        return
    left = held.expires_at - max(held.starts_at, held.ended_at or held.starts_at)
    if left <= timedelta(0):
        return
    others = await entitlements.live(session, held.community_id, held.member_id, held.plan_id)
    held.starts_at = max([trail.at, *[await end_of(session, other) for other in others if other.expires_at is not None]])
    await change(session, held, Access(Verdict.OPEN, held.starts_at + left), held.plan_id, trail)


async def end_of(session: Session, held: EntitlementRow) -> datetime:
    """Return until when something is paid for or given: for a subscription its period, without the leeway on top."""
    until = held.expires_at or held.starts_at
    if held.source_kind != SourceKind.SUBSCRIPTION:
        return until
    row = await session.get_one(SubscriptionRow, SubscriptionId(held.source_id))
    return min(until, row.cancel_at or row.paid_until or row.period_end)


async def close_up(session: Session, member: tuple[CommunityId, MemberId], plan: PlanId, trail: Trail) -> None:
    """Have what was to follow something that ended early follow at once."""
    rows = {row.id: row for row in await entitlements.live(session, *member, plan) if row.expires_at is not None}
    paid = [await end_of(session, row) for row in rows.values() if row.source_kind == SourceKind.SUBSCRIPTION]
    spans = [
        Span(row.id, row.starts_at, row.expires_at)
        for row in rows.values()
        if row.source_kind != SourceKind.SUBSCRIPTION and row.expires_at is not None
    ]
    for span in closed_up(spans, trail.at, max(paid, default=None)):
        row = rows[EntitlementId(span.source)]
        if row.starts_at != span.start:
            row.starts_at = span.start
            await change(session, row, Access(Verdict.OPEN, span.end), plan, trail)


async def take_back(session: Session, source: tuple[SourceKind, str], trail: Trail) -> ExtensionRow | None:
    """End what a source gave; returns the move back of a payment, to be asked for, where that is what it gave."""
    held = await entitlements.by_source(session, *source)
    if held is not None:
        if held.state != EntitlementState.ENDED:
            await change(session, held, Access(Verdict.CLOSED), held.plan_id, trail)
            await close_up(session, (held.community_id, held.member_id), held.plan_id, trail)
        return None
    moved, back = await extensions.of_source(session, source[1]), await extensions.of_source(session, source[1], undoes=True)
    if moved is None or back is not None:
        return back if back is not None and back.done_at is None else None
    paying = await session.get_one(SubscriptionRow, moved.subscription_id)
    if paying.status in subscriptions.OVER:
        return None
    soonest = trail.at + timedelta(hours=1)  # the processor takes moments in the future alone
    return await _move(session, paying, max(paying.period_end - timedelta(seconds=moved.seconds), soonest), source[1], trail, undoes=True)


async def _later(session: Session, paying: SubscriptionRow, interval: Interval, source: str, trail: Trail) -> Given:
    if await extensions.undone(session, paying.id):
        raise Refusal("just_given", "They were given time a moment ago, and it is not through yet. Try again in a minute.")
    until = plus(paying.period_end, interval)
    if until is None:
        raise ValueError("a subscription is not moved for ever")
    row = await _move(session, paying, until, source, trail, undoes=False)
    return Given(until, row)


async def _move(session: Session, paying: SubscriptionRow, until: datetime, source: str, trail: Trail, *, undoes: bool) -> ExtensionRow:
    seconds = int((until - paying.period_end).total_seconds())
    row = ExtensionRow(
        id=trail.ids.new(), community_id=paying.community_id, subscription_id=paying.id, source_id=source, undoes=undoes,
        seconds=seconds, until=until, at=trail.at, cause_id=trail.cause,
    )  # fmt: skip
    session.add(row)
    record(session, trail, paying.community_id, "subscription.moved", ("subscription", paying.id), member=paying.member_id,
           before={"next_payment": paying.period_end.isoformat()}, after={"next_payment": until.isoformat(), "source": source})  # fmt: skip
    return row


class Extensions:
    """Has the processor move payments as was written, by whoever gave or, after a crash, by the clock."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions

    async def carry_out(self, row: ExtensionRow) -> None:
        """Move one payment; a subscription that is over meanwhile has none."""
        async with self._db.reading() as session:
            paying = await session.get_one(SubscriptionRow, row.subscription_id)
        asked_at, snapshot = self._clock.now(), None
        gateway = await self._gateways.of(paying.stripe_account_id)
        try:
            if row.until > asked_at:
                snapshot = await gateway.extend(paying.stripe_subscription_id, row.until, key=f"extend:{row.id}")
        except PermanentError:
            now = await gateway.subscription(paying.stripe_subscription_id)
            if now.status not in subscriptions.OVER:
                raise
        async with self._db.transaction() as session:
            if snapshot is not None:
                await self._subscriptions.apply(session, paying.stripe_account_id, snapshot, Trail(self._ids, asked_at, row.cause_id))
            done = await session.get_one(ExtensionRow, row.id)
            done.done_at = self._clock.now()
            session.add(done)

    async def run(self) -> int:
        """Carry out what was left behind; returns how much that was."""
        async with self._db.reading() as session:
            rows = await extensions.to_do(session, self._clock.now() - LEFT_BEHIND, BATCH)
        for row in rows:
            await self.carry_out(row)
        return len(rows)
