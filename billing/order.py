"""What becomes of an order once its checkout says something."""

from datetime import datetime

from billing import stock, trial
from billing.eligibility import extends
from billing.entitlement import change
from billing.giving import end_of, reopen, take_back
from billing.ledger import FEE_KNOWN_AFTER, SALES, Books
from billing.subscription import Also, Subscriptions
from core.clock import Clock
from core.dispatch import stripe_lane
from core.entitlement import Access, Verdict
from core.ids import CauseId, CustomerId, EntitlementId, Ids, OrderId, StripeAccountId
from core.payments import CheckoutSnapshot, CheckoutStatus, PaymentGateway, PaymentGateways, PaymentSnapshot, PaymentState
from core.spans import plus
from storage import customers, disputes, entitlements, invites, orders
from storage.audit import Trail
from storage.communities import keeps_refunded
from storage.customers import CustomerRow
from storage.database import Database, Session
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.orders import OrderRow, OrderStatus
from storage.outbox import add_refetch
from storage.plans import PlanRow
from storage.prices import PriceRow


class Orders:
    """Settles orders: never from the redirect, always from the processor's own word."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions

    async def settle(
        self,
        account: StripeAccountId,
        checkout: CheckoutSnapshot,
        *,
        cause: CauseId,
        since: datetime | None = None,
        also: Also | None = None,
    ) -> None:
        """Write what a checkout says of our order: paid, on its way, failed or expired; open what was bought.

        The subscription comes first: an order stays open, and keeps its payer from a second checkout, until we hold what it bought.
        ``also`` is done in the transaction of the last change, and not at all when there is none.
        """
        gateway = await self._gateways.of(account)
        status = await _status(gateway, checkout)
        if status is OrderStatus.OPEN:
            return
        if checkout.subscription:
            await self._subscriptions.refresh(account, checkout.subscription, cause=cause, since=since)
        async with self._db.transaction() as session:
            order = await session.get(OrderRow, OrderId(checkout.reference), with_for_update=True)
            if order is None or order.stripe_account_id != account:
                return
            await self._write(session, order, checkout, status, Trail(self._ids, self._clock.now(), cause))
            books = status is OrderStatus.PAID and checkout.payment_intent and not checkout.subscription
            if also is not None and not books:
                await also(session)
        if books:
            await self.book(account, await gateway.payment(checkout.payment_intent), order, cause=cause, also=also)

    async def book(
        self, account: StripeAccountId, payment: PaymentSnapshot, order: OrderRow, *, cause: CauseId, also: Also | None = None
    ) -> None:
        """Book a single payment, and end what it opened once it is given back in full; ``also`` is done in the same transaction."""
        async with self._db.transaction() as session:
            trail = Trail(self._ids, self._clock.now(), cause)
            await Books(session, self._ids, order.community_id, account, trail).payment(payment, SALES, f"order:{order.id}")
            if payment.unsettled:
                due = trail.at + FEE_KNOWN_AFTER
                await add_refetch(session, trail, order.community_id, stripe_lane(account), payment.external_id, due)
            held = await entitlements.by_source(session, SourceKind.PASS, order.id)
            if payment.given_back:
                await disputes.given_back(session, SourceKind.PASS, order.id, trail.at)
            keeps = payment.given_back and await keeps_refunded(session, order.community_id)
            if held is not None and payment.given_back and not keeps:
                await take_back(session, (SourceKind.PASS, order.id), trail)
            elif held is not None and payment.restored:
                await reopen(session, held, trail)
            if also is not None:
                await also(session)

    async def _write(self, session: Session, order: OrderRow, checkout: CheckoutSnapshot, status: OrderStatus, trail: Trail) -> None:
        if order.status == OrderStatus.PAID or (status is OrderStatus.EXPIRED and order.status != OrderStatus.OPEN):
            return
        order.checkout_session_id = checkout.external_id
        order.stripe_subscription_id, order.stripe_payment_intent_id = checkout.subscription, checkout.payment_intent
        orders.advance(session, order, status, trail, checkout.external_id)
        if checkout.customer:
            await customers.keep(session, CustomerRow(
                id=CustomerId(self._ids.new()), community_id=order.community_id, member_id=order.member_id,
                stripe_account_id=order.stripe_account_id, stripe_customer_id=checkout.customer,
                currency=checkout.total.currency))  # fmt: skip
        if status is OrderStatus.PAID:
            order.paid_at = trail.at
            if order.invite_id is not None:
                await invites.count_use(session, order.invite_id)
            if checkout.customer:
                await trial.follow(session, order, checkout.customer, trail)
            await stock.took(session, await session.get_one(PlanRow, order.plan_id), order.member_id)
            if not checkout.subscription:
                await self._open_pass(session, order, trail)

    async def _open_pass(self, session: Session, order: OrderRow, trail: Trail) -> None:
        """Open what was paid once: after what the payer has of the plan already, or for life."""
        plan, price = await session.get_one(PlanRow, order.plan_id), await session.get_one(PriceRow, order.price_id)
        interval = price.interval_of(plan.interval)
        others = await entitlements.live(session, order.community_id, order.member_id, order.plan_id)
        start = trail.at
        if extends(interval):
            start = max([trail.at, *[await end_of(session, other) for other in others if other.expires_at is not None]])
        held = EntitlementRow(
            id=EntitlementId(self._ids.new()), community_id=order.community_id, member_id=order.member_id, plan_id=order.plan_id,
            source_kind=SourceKind.PASS, source_id=order.id, starts_at=start, state=EntitlementState.ENDED, cause_id=trail.cause,
        )  # fmt: skip
        await change(session, held, Access(Verdict.OPEN, plus(start, interval)), order.plan_id, trail)


async def _status(gateway: PaymentGateway, checkout: CheckoutSnapshot) -> OrderStatus:
    if checkout.status is CheckoutStatus.EXPIRED:
        return OrderStatus.EXPIRED
    if checkout.status is CheckoutStatus.OPEN:
        return OrderStatus.OPEN
    if checkout.payment in {PaymentState.PAID, PaymentState.NOTHING_DUE}:
        return OrderStatus.PAID
    if checkout.payment_intent:
        payment = await gateway.payment(checkout.payment_intent)
        return OrderStatus.PENDING if payment.status in {"processing", "succeeded"} else OrderStatus.FAILED
    if checkout.subscription:
        subscription = await gateway.subscription(checkout.subscription)
        return OrderStatus.FAILED if subscription.status in {"incomplete_expired", "canceled"} else OrderStatus.PENDING
    return OrderStatus.PENDING
