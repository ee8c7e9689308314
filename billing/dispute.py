"""A payment whose bank takes it back: what it opened is suspended, comes back when it is won, and ends when it is lost."""

from billing.entitlement import change
from billing.giving import take_back
from billing.ledger import Books
from billing.paid_for import TIP, PaidFor, paid_for
from billing.subscription import Subscriptions
from core.clock import Clock
from core.dispatch import stripe_lane
from core.entitlement import Access, Verdict
from core.events import Notice, NoticeKind
from core.ids import CauseId, Ids, StripeAccountId
from core.money import Money
from core.payments import DISPUTE_HOLDS, DISPUTE_LOST, DisputeSnapshot, PaymentGateway, PaymentGateways, PaymentSnapshot
from storage import accounts, disputes, entitlements, subscriptions
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.disputes import WARNED, DisputeRow
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.outbox import add_notice, add_refetch
from storage.plans import PlanRow


class Disputes:
    """Follows disputes and early fraud warnings: whatever their events say, the object is fetched afresh."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions

    async def look(self, account: StripeAccountId, external_id: str, *, cause: CauseId) -> None:
        """Fetch a dispute and make the books, what its payment opened and its subscription follow; one that is not ours is left alone.

        TransientError while what it is about is not stored yet.
        """
        gateway = await self._gateways.of(account)
        dispute = await gateway.dispute(external_id)
        payment = await gateway.payment(dispute.payment)
        async with self._db.transaction() as session:
            about = await paid_for(session, account, payment)
            if about is None:
                return
            trail = Trail(self._ids, self._clock.now(), cause)
            held = await _held(session, about)
            row = await self._write(session, account, dispute, about, held, trail)
            await Books(session, self._ids, about.community, account, trail).dispute(dispute, f"dispute:{row.id}")
            await self._follow(session, account, row, held, payment, trail)
        if dispute.lost and payment.subscription:
            await self._cancel(gateway, account, dispute, payment, cause)

    async def warned(self, account: StripeAccountId, external_id: str, *, cause: CauseId) -> None:
        """Fetch an early fraud warning and propose a refund to the creator, once. Nobody loses anything by it."""
        gateway = await self._gateways.of(account)
        warning = await gateway.fraud_warning(external_id)
        payment = await gateway.payment(warning.payment)
        if payment.given_back:
            return
        async with self._db.transaction() as session:
            about = await paid_for(session, account, payment)
            if about is None or await disputes.by_stripe_id(session, account, external_id) is not None:
                return
            trail = Trail(self._ids, self._clock.now(), cause)
            row = self._new(account, external_id, about, payment.received, trail)
            row.status = WARNED
            session.add(row)
            _record(session, row, "", trail)
            await _tell(session, row, await _held(session, about), "warned", trail)

    async def _write(
        self,
        session: Session,
        account: StripeAccountId,
        dispute: DisputeSnapshot,
        about: PaidFor,
        held: EntitlementRow | None,
        trail: Trail,
    ) -> DisputeRow:
        row = await disputes.by_stripe_id(session, account, dispute.external_id)
        row = row or self._new(account, dispute.external_id, about, dispute.amount, trail, reason=dispute.reason)
        before = row.status
        over = dispute.status == "warning_closed" or not (dispute.holds or dispute.inquiry)
        row.status, row.answer_by = dispute.status, dispute.answer_by
        row.closed_at = (row.closed_at or trail.at) if over else None
        session.add(row)
        await session.flush()
        if before != row.status:
            _record(session, row, before, trail)
            await _tell(session, row, held, _phase(dispute, fresh=not before), trail)
        return row

    def _new(
        self, account: StripeAccountId, external_id: str, about: PaidFor, amount: Money, trail: Trail, *, reason: str = ""
    ) -> DisputeRow:
        kind, source = about.source
        return DisputeRow(
            id=self._ids.new(), community_id=about.community, member_id=about.holder, stripe_account_id=account,
            stripe_dispute_id=external_id, source_kind=kind, source_id=source, order_id=about.order, status="", reason=reason,
            amount=amount.minor, currency=amount.currency, opened_at=trail.at,
        )  # fmt: skip

    async def _follow(
        self,
        session: Session,
        account: StripeAccountId,
        row: DisputeRow,
        held: EntitlementRow | None,
        payment: PaymentSnapshot,
        trail: Trail,
    ) -> None:
        """Suspend what the payment opened while nothing is decided; let it go on, or end it, once it is."""
        if row.source_kind == TIP:
            return
        if row.status in DISPUTE_HOLDS:
            if held is not None and held.state == EntitlementState.ACTIVE:
                await change(session, held, Access(Verdict.OPEN, held.expires_at), held.plan_id, trail, suspended=True)
                await _tell_holder(session, row, held, NoticeKind.SUSPENDED, trail)
        elif row.status == DISPUTE_LOST:
            if row.source_kind != SourceKind.SUBSCRIPTION:
                await take_back(session, (SourceKind(row.source_kind), row.source_id), trail)
        elif held is not None and held.state == EntitlementState.SUSPENDED:
            await self._release(session, account, held, row, payment, trail)

    async def _release(
        self, session: Session, account: StripeAccountId, held: EntitlementRow, row: DisputeRow, payment: PaymentSnapshot, trail: Trail
    ) -> None:
        if await disputes.holding(session, row.source_kind, row.source_id, besides=row.id):
            return
        over = held.expires_at is not None and held.expires_at <= trail.at
        access = Access(Verdict.CLOSED) if over else Access(Verdict.OPEN, held.expires_at)
        await change(session, held, access, held.plan_id, trail, suspended=False)
        if not over:
            await _tell_holder(session, row, held, NoticeKind.RESTORED, trail)
        if payment.subscription:  # whatever came meanwhile was not looked at with open eyes
            await add_refetch(session, trail, row.community_id, stripe_lane(account), payment.subscription, trail.at)

    async def _cancel(
        self, gateway: PaymentGateway, account: StripeAccountId, dispute: DisputeSnapshot, payment: PaymentSnapshot, cause: CauseId
    ) -> None:
        """End a subscription whose payment was lost: it would charge the same card again."""
        asked_at = self._clock.now()
        now = await gateway.subscription(payment.subscription)
        if now.status not in subscriptions.OVER:
            key = f"dispute:{dispute.external_id}:cancel"
            now = await gateway.cancel_subscription(payment.subscription, at_period_end=False, key=key)
        async with self._db.transaction() as session:
            await self._subscriptions.apply(session, account, now, Trail(self._ids, asked_at, cause))


def _phase(dispute: DisputeSnapshot, *, fresh: bool) -> str:
    """Return what to tell the creator of; empty where there is no news for them."""
    match dispute.status:
        case "needs_response":
            return "opened"
        case "warning_needs_response":
            return "inquiry"
        case "won" | "lost":
            return dispute.status
        case "warning_closed" | "prevented":
            return "" if fresh else "closed"
        case _:
            return "opened" if fresh and dispute.holds else ""


def _record(session: Session, row: DisputeRow, before: str, trail: Trail) -> None:
    was, now = {"status": before} if before else {}, {"status": row.status, "amount": str(row.money)}
    subject = ("dispute", row.id)
    record(
        session, trail, row.community_id, f"dispute.{row.status}", subject, member=row.member_id, before=was, after=now, answer=row.reason
    )


async def _held(session: Session, about: PaidFor) -> EntitlementRow | None:
    kind, source = about.source
    return None if kind == TIP else await entitlements.by_source(session, SourceKind(kind), source)


async def _tell(session: Session, row: DisputeRow, held: EntitlementRow | None, phase: str, trail: Trail) -> None:
    if not phase:
        return
    names = await accounts.active_of_member(session, row.member_id)
    plan = await _plan(session, held)
    facts = {
        "phase": phase, "who": names[0].name if names else "somebody", "plan": plan, "amount": str(row.money), "reason": row.reason,
        "by": row.answer_by.isoformat() if row.answer_by else None, "source": row.source_kind, "order": row.order_id,
        "dispute": row.stripe_dispute_id,
    }  # fmt: skip
    kind = NoticeKind.FRAUD_WARNING if phase == "warned" else NoticeKind.DISPUTE
    await add_notice(session, trail, row.community_id, Notice(kind, facts), member=row.member_id, dedupe=f"dispute:{row.id}:{phase}")


async def _tell_holder(session: Session, row: DisputeRow, held: EntitlementRow, kind: NoticeKind, trail: Trail) -> None:
    notice = Notice(kind, {"plan": await _plan(session, held), "amount": str(row.money), "gift": row.source_kind == SourceKind.GIFT})
    await add_notice(session, trail, row.community_id, notice, member=row.member_id, dedupe=f"{kind}:{row.id}")


async def _plan(session: Session, held: EntitlementRow | None) -> str:
    plan = await session.get(PlanRow, held.plan_id) if held is not None else None
    return plan.name if plan is not None else ""
