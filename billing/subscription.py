"""Make our row equal the processor's, and the entitlement follow from it, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from billing.entitlement import change
from billing.looks import Looks
from billing.subscription_news import tell_changed, tell_doubles, tell_ended
from billing.subscription_row import copy, facts, failing_since, owe, paid_until, sold
from core.clock import Clock
from core.dunning import next_notice
from core.entitlement import Access, Verdict, subscription_access
from core.events import Notice, NoticeKind
from core.ids import CauseId, EntitlementId, Ids, OrderId, PlanId, StripeAccountId, SubscriptionId
from core.payments import InvoiceSnapshot, PaymentGateways, SubscriptionSnapshot
from storage import entitlements, subscriptions
from storage.audit import Trail, record
from storage.communities import CommunityRow, keeps_refunded
from storage.database import Database, Session
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.orders import OrderRow
from storage.outbox import add_notice
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
            if row is None or (given_back and await keeps_refunded(session, row.community_id)):
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
        before = facts(first) if first is not None else {}
        if first is not None:
            await copy(session, first, snapshot, trail)
            row = await subscriptions.ensure(session, first)
        if row is None or row.fetched_at > trail.at:
            return
        new = first is not None and row.id == first.id
        if not new:
            before = facts(row)
            await copy(session, row, snapshot, trail)
        owe(row, owed)
        row.next_notice_at = None
        if row.past_due_since is not None:
            row.next_notice_at = next_notice(row.past_due_since, await self._grace_of(session, row), row.notices_sent)
        session.add(row)
        if before != facts(row):
            record(session, trail, row.community_id, "subscription.changed", ("subscription", row.id), member=row.member_id,
                   before=before, after=facts(row))  # fmt: skip
        access = await self._access(session, row, snapshot, trail.at, since=row.past_due_since, until=row.paid_until)
        await self._entitle(session, row, access, trail, new=new)
        await tell_changed(session, row, before, trail)
        await tell_doubles(session, row, trail)

    async def foresee(self, session: Session, row: SubscriptionRow, snapshot: SubscriptionSnapshot, at: datetime) -> tuple[Access, PlanId]:
        """Return what :meth:`apply` would decide about a subscription we hold and the plan it would then be of; nothing is written."""
        plan, _ = await sold(session, row, snapshot)
        since, until = failing_since(row, snapshot, at), paid_until(row, snapshot)
        return await self._access(session, row, snapshot, at, since=since, until=until), plan

    async def _stands(self, session: Session, row: SubscriptionRow, snapshot: SubscriptionSnapshot, at: datetime) -> Access:
        """Decide access by what we hold: it was asked for after ``snapshot``, or by a clock that was ahead of ours."""
        held = replace(snapshot, status=row.status, period_end=row.period_end, paused=row.paused_until is not None)
        return await self._access(session, row, held, at, since=row.past_due_since, until=row.paid_until)

    async def _access(
        self,
        session: Session,
        row: SubscriptionRow,
        snapshot: SubscriptionSnapshot,
        at: datetime,
        *,
        since: datetime | None,
        until: datetime | None,
    ) -> Access:
        grace = self._grace if since is None else await self._grace_of(session, row)
        return subscription_access(snapshot, past_due_since=since, grace=grace, refunded_until=row.refunded_until, now=at, paid_until=until)

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
            await tell_ended(session, row, trail)
