"""Make our row equal the processor's, and the entitlement follow from it, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from billing.looks import Looks
from core.clock import Clock
from core.dunning import next_notice
from core.entitlement import Access, Verdict, subscription_access
from core.events import Notice, NoticeKind
from core.ids import CauseId, EntitlementId, Ids, MemberId, OrderId, PlanId, StripeAccountId, SubscriptionId
from core.payments import InvoiceSnapshot, PaymentGateways, SubscriptionSnapshot
from storage import disputes, entitlements, subscriptions
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.orders import OrderRow
from storage.outbox import add_notice, add_reconcile
from storage.plans import PlanRow
from storage.prices import plan_of
from storage.subscriptions import SubscriptionRow

Also = Callable[[Session], Awaitable[None]]
"""What is to be done in the same transaction."""


class Subscriptions:
    """The only writer of subscriptions and of the entitlements they are the source of."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, grace: timedelta) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._grace = grace
        self._looks = Looks(clock)

    async def refresh(
        self, account: StripeAccountId, external_id: str, *, cause: CauseId, since: datetime | None = None, also: Also | None = None
    ) -> None:
        """Fetch a subscription and make everything here follow from it, unless what we hold was asked for after ``since``.

        A payment is told of in several events at once; the first that is looked at answers for those that came before the look.
        ``also`` is done in the transaction of the change, and not at all when there is none.
        """
        async with self._looks.at(external_id, since) as asked_at:
            if asked_at is None:
                return
            gateway = await self._gateways.of(account)
            snapshot = await gateway.subscription(external_id)
            owed = await gateway.invoice(snapshot.latest_invoice) if snapshot.status == "past_due" and snapshot.latest_invoice else None
            async with self._db.transaction() as session:
                await self.apply(session, account, snapshot, Trail(self._ids, asked_at, cause), owed)
                if also is not None:
                    await also(session)
            self._looks.count(external_id, asked_at)

    def asked(self, external_id: str) -> bool:
        """Whether a subscription is one of those we looked at lately."""
        return external_id in self._looks

    async def refunded(self, account: StripeAccountId, external_id: str, invoice: str, *, cause: CauseId, given_back: bool = True) -> None:
        """End the access of an invoice given back in full, when it is the subscription's latest; open it again where that failed.

        The next one paid opens again too. Where a community keeps what was refunded, nothing ends.
        """
        asked_at = self._clock.now()
        snapshot = await (await self._gateways.of(account)).subscription(external_id)
        if snapshot.latest_invoice != invoice:
            return
        async with self._db.transaction() as session:
            row = await subscriptions.by_stripe_id(session, account, external_id, lock=True)
            if row is None or (given_back and (await session.get_one(CommunityRow, row.community_id)).keep_refunded):
                return
            row.refunded_until = snapshot.period_end if given_back else None
            session.add(row)
            await session.flush()
            trail = Trail(self._ids, asked_at, cause)
            if row.fetched_at > asked_at:
                await self._entitle(session, row, await self._stands(session, row, snapshot, asked_at), trail, new=False)
            else:
                await self.apply(session, account, snapshot, trail)

    async def apply(
        self,
        session: Session,
        account: StripeAccountId,
        snapshot: SubscriptionSnapshot,
        trail: Trail,
        owed: InvoiceSnapshot | None = None,
    ) -> None:
        """Write what a snapshot (asked for at ``trail.at``) says. One we did not sell is left alone, an older one than we hold too.

        ``owed`` is the invoice of a renewal that failed, where it was asked for.
        """
        row = await subscriptions.by_stripe_id(session, account, snapshot.external_id, lock=True)
        first = await self._first(session, account, snapshot, trail) if row is None else None
        before = _facts(first) if first is not None else {}
        if first is not None:
            await _copy(session, first, snapshot, trail)
            row = await subscriptions.ensure(session, first)
        if row is None or row.fetched_at > trail.at:
            return
        new = first is not None and row.id == first.id
        if not new:
            before = _facts(row)
            await _copy(session, row, snapshot, trail)
        _owe(row, owed)
        grace = await self._grace_of(session, row) if row.past_due_since else self._grace
        row.next_notice_at = next_notice(row.past_due_since, grace, row.notices_sent) if row.past_due_since else None
        session.add(row)
        if before != _facts(row):
            record(session, trail, row.community_id, "subscription.changed", ("subscription", row.id), member=row.member_id,
                   before=before, after=_facts(row))  # fmt: skip
        access = subscription_access(
            snapshot, past_due_since=row.past_due_since, grace=grace, refunded_until=row.refunded_until, now=trail.at,
            paid_until=row.paid_until,
        )  # fmt: skip
        await self._entitle(session, row, access, trail, new=new)
        await _notify(session, row, before, trail)

    async def foresee(self, session: Session, row: SubscriptionRow, snapshot: SubscriptionSnapshot, at: datetime) -> tuple[Access, PlanId]:
        """Return what :meth:`apply` would decide about a subscription we hold and the plan it would then be of; nothing is written."""
        plan, _ = await _sold(session, row, snapshot)
        since, grace = _failing_since(row, snapshot, at), await self._grace_of(session, row)
        access = subscription_access(
            snapshot, past_due_since=since, grace=grace, refunded_until=row.refunded_until, now=at, paid_until=_paid_until(row, snapshot)
        )
        return access, plan

    async def _stands(self, session: Session, row: SubscriptionRow, snapshot: SubscriptionSnapshot, at: datetime) -> Access:
        """Decide access by what we hold: it was asked for after ``snapshot``, or by a clock that was ahead of ours."""
        held = replace(snapshot, status=row.status, period_end=row.period_end, paused=row.paused_until is not None)
        grace = await self._grace_of(session, row)
        return subscription_access(
            held, past_due_since=row.past_due_since, grace=grace, refunded_until=row.refunded_until, now=at, paid_until=row.paid_until
        )

    async def _grace_of(self, session: Session, row: SubscriptionRow) -> timedelta:
        community = await session.get_one(CommunityRow, row.community_id)
        return timedelta(days=community.grace_days) if community.grace_days is not None else self._grace

    async def _first(
        self, session: Session, account: StripeAccountId, snapshot: SubscriptionSnapshot, trail: Trail
    ) -> SubscriptionRow | None:
        """Return what our first copy starts from, not stored yet; None where the order is not ours."""
        order = await session.get(OrderRow, OrderId(snapshot.reference)) if snapshot.reference else None
        if order is None or order.stripe_account_id != account:
            return None
        return SubscriptionRow(
            id=SubscriptionId(self._ids.new()),
            community_id=order.community_id,
            member_id=order.member_id,
            plan_id=order.plan_id,
            stripe_account_id=account,
            stripe_subscription_id=snapshot.external_id,
            stripe_customer_id=snapshot.customer,
            stripe_price_id="",
            status="",
            started_at=snapshot.created_at,
            period_end=snapshot.period_end,
            fetched_at=trail.at,
        )

    async def _entitle(self, session: Session, row: SubscriptionRow, access: Access, trail: Trail, *, new: bool) -> None:
        held = None if new else await entitlements.by_source(session, SourceKind.SUBSCRIPTION, row.id)
        if access.verdict is Verdict.KEEP:
            facts = {"status": row.status, "subscription": row.stripe_subscription_id}
            dedupe = f"unknown_status:{row.id}:{row.status}"
            await add_notice(session, trail, row.community_id, Notice(NoticeKind.UNKNOWN_STATUS, facts), dedupe=dedupe)
            return
        if held is None and access.verdict is Verdict.CLOSED:
            return
        if held is None:
            held = EntitlementRow(
                id=EntitlementId(self._ids.new()), community_id=row.community_id, member_id=row.member_id, plan_id=row.plan_id,
                source_kind=SourceKind.SUBSCRIPTION, source_id=row.id, starts_at=row.started_at, state=EntitlementState.ENDED,
                cause_id=trail.cause,
            )  # fmt: skip
        before = (held.state, held.plan_id)
        await change(session, held, access, row.plan_id, trail)
        if before[0] != EntitlementState.ENDED and held.state == EntitlementState.ENDED:
            await _tell_ended(session, row, trail)


async def change(
    session: Session, held: EntitlementRow, access: Access, plan: PlanId, trail: Trail, *, suspended: bool | None = None
) -> None:
    """Make an entitlement open or end, audit it, and have the member reconciled when what it opens may have changed.

    ``suspended`` begins or ends that it opens nothing though it has not ended; what is suspended stays so unless that is said.
    """
    before = held.facts
    opened = access.verdict is Verdict.OPEN
    waits = held.state == EntitlementState.SUSPENDED if suspended is None else suspended
    held.state = (EntitlementState.SUSPENDED if waits else EntitlementState.ACTIVE) if opened else EntitlementState.ENDED
    held.plan_id = plan
    held.expires_at = access.until if opened else held.expires_at
    held.ended_at = None if opened else (held.ended_at or trail.at)
    held.cause_id = trail.cause
    session.add(held)
    after = held.facts
    if before == after:
        return
    record(session, trail, held.community_id, "entitlement.changed", ("entitlement", held.id), member=held.member_id,
           before=before, after=after)  # fmt: skip
    if (before["state"], before["plan"]) != (after["state"], after["plan"]):
        await add_reconcile(session, trail, held.community_id, held.member_id)


async def _copy(session: Session, row: SubscriptionRow, snapshot: SubscriptionSnapshot, trail: Trail) -> None:
    row.plan_id, row.stripe_price_id = await _sold(session, row, snapshot)
    row.past_due_since = _failing_since(row, snapshot, trail.at)
    row.paid_until, row.paused_until = _paid_until(row, snapshot), snapshot.resumes_at if snapshot.paused else None
    if not snapshot.waits and not snapshot.planned:
        row.next_price_id = None
    row.status = snapshot.status
    row.period_end = snapshot.period_end
    row.trial_end = snapshot.trial_end
    row.cancel_at = snapshot.period_end if snapshot.cancel_at_period_end else snapshot.cancel_at
    row.ended_at = snapshot.ended_at
    row.fetched_at = trail.at
    if row.past_due_since is None:
        row.notices_sent = 0


def _owe(row: SubscriptionRow, owed: InvoiceSnapshot | None) -> None:
    """Note what a failed renewal asks for, and where it is paid; nothing once none fails."""
    if row.past_due_since is None:
        row.owed, row.owed_currency, row.pay_url = None, "", ""
    elif owed is not None and owed.status == "open":
        row.owed, row.owed_currency, row.pay_url = owed.total.minor - owed.paid.minor, owed.total.currency, owed.hosted_url


async def _sold(session: Session, row: SubscriptionRow, snapshot: SubscriptionSnapshot) -> tuple[PlanId, str]:
    """Return the plan of ours a subscription is of now, and its price at the processor; what we hold where it names none of ours."""
    sold = row.plan_id, row.stripe_price_id
    for price in snapshot.prices:
        plan = await plan_of(session, row.stripe_account_id, price)
        if plan is not None and plan[0] == row.community_id:
            sold = plan[1], price
    return sold


def _paid_until(row: SubscriptionRow, snapshot: SubscriptionSnapshot) -> datetime | None:
    """Return what was paid for when a pause began; None where there is no pause. What was paid for stays paid for as periods go by."""
    if not snapshot.paused:
        return None
    return row.paid_until or (row.period_end if row.status else snapshot.period_end)


def _failing_since(row: SubscriptionRow, snapshot: SubscriptionSnapshot, at: datetime) -> datetime | None:
    """Return since when a payment fails: a renewal since its period began, if that was after we last looked; else since we see it."""
    if snapshot.status != "past_due":
        return None
    began = snapshot.period_start
    renewal = began is not None and (began > row.fetched_at or row.period_end <= began)
    return row.past_due_since or (began if renewal else at)


def _facts(row: SubscriptionRow) -> dict[str, Any]:
    return {
        "status": row.status,
        "plan": row.plan_id,
        "period_end": row.period_end.isoformat(),
        "cancel_at": row.cancel_at.isoformat() if row.cancel_at else None,
        "past_due_since": row.past_due_since.isoformat() if row.past_due_since else None,
        "paused_until": row.paused_until.isoformat() if row.paused_until else None,
    }


async def _notify(session: Session, row: SubscriptionRow, before: dict[str, Any], trail: Trail) -> None:
    """Tell of a cancel that keeps access for now, and of a failed renewal that was mended; the sweep sends the reminders."""
    cancelled = row.cancel_at is not None and row.status in {"active", "trialing"} and before["cancel_at"] is None
    mended = before["past_due_since"] and row.past_due_since is None and row.status == "active"
    if not cancelled and not mended:
        return
    plan = await session.get_one(PlanRow, row.plan_id)
    if cancelled and row.cancel_at is not None:
        notice = Notice(NoticeKind.ENDING, {"plan": plan.name, "at": row.cancel_at.isoformat()})
        dedupe = f"ending:{row.id}:{row.cancel_at.isoformat()}:{trail.cause}"
        await add_notice(session, trail, row.community_id, notice, member=row.member_id, dedupe=dedupe)
    if mended:
        notice = Notice(NoticeKind.RENEWED, {"plan": plan.name, "until": row.period_end.isoformat()})
        dedupe = f"renewed:{row.id}:{row.period_end.isoformat()}"
        await add_notice(session, trail, row.community_id, notice, member=row.member_id, dedupe=dedupe)


async def _tell_ended(session: Session, row: SubscriptionRow, trail: Trail) -> None:
    others = await entitlements.live(session, row.community_id, MemberId(row.member_id), row.plan_id)
    if others:
        return
    plan = await session.get_one(PlanRow, row.plan_id)
    disputed = await disputes.lost(session, SourceKind.SUBSCRIPTION, row.id)
    why = (
        "dispute"
        if disputed
        else "payment"
        if row.status in {"past_due", "unpaid"} or row.past_due_since
        else "refund"
        if row.refunded_until
        else "ended"
    )
    renews = row.status not in subscriptions.OVER and row.cancel_at is None
    notice = Notice(NoticeKind.ENDED, {"plan": plan.name, "why": why, "renews": renews})
    dedupe = f"ended:{row.id}:{trail.cause}"
    await add_notice(session, trail, row.community_id, notice, member=row.member_id, dedupe=dedupe)
