"""A payment looked at again: what is booked of it, and what a refund ends."""

from datetime import datetime

from billing.gift import Gifts
from billing.ledger import FEE_KNOWN_AFTER, SALES, Books
from billing.looks import Looks
from billing.order import Orders
from billing.subscription import Also, Subscriptions
from billing.tip import Tips
from core.clock import Clock
from core.dispatch import stripe_lane
from core.errors import TransientError
from core.ids import CauseId, GiftId, Ids, OrderId, StripeAccountId, TipId
from core.payments import InvoiceSnapshot, PaymentGateways, PaymentSnapshot
from storage import comparing, disputes, subscriptions
from storage.audit import Trail
from storage.database import Database
from storage.entitlements import SourceKind
from storage.orders import OrderRow
from storage.outbox import add_refetch
from storage.tips import TipRow


class Stopped(TransientError):  # noqa: N818 - the state of the community
    """The books are done; what the rest would end waits, for its community is stopped until a person has looked."""


class Payments:
    """Books any payment of ours, whichever it was for."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        ids: Ids,
        gateways: PaymentGateways,
        subscriptions: Subscriptions,
        orders: Orders,
        tips: Tips,
        gifts: Gifts,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions
        self._orders = orders
        self._tips = tips
        self._gifts = gifts
        self._looks = Looks(clock)

    async def look(
        self,
        account: StripeAccountId,
        external_id: str,
        *,
        cause: CauseId,
        since: datetime | None = None,
        live: bool = True,
        also: Also | None = None,
        of: InvoiceSnapshot | None = None,
    ) -> None:
        """Fetch a payment (``pi_`` or ``ch_``) and make the books and what it opened follow, unless that was done after ``since``.

        ``of`` is the invoice it paid, where that is known.

        One that is not ours is left alone. ``also`` is done in the transaction of the books, where nothing else follows from the payment.
        Raises Stopped when it would end something in a community that is stopped and no webhook told of it (``live`` is false).
        """
        async with self._looks.at(external_id, since) as asked_at:
            if asked_at is not None and await self._look(account, external_id, cause, live=live, also=also, of=of):
                self._looks.count(external_id, asked_at)

    async def _look(
        self, account: StripeAccountId, external_id: str, cause: CauseId, *, live: bool, also: Also | None, of: InvoiceSnapshot | None
    ) -> bool:
        """Say whether the look counts: one at a payment for a subscription we know, of which two events tell at once."""
        payment = await (await self._gateways.of(account)).payment(external_id, of=of)
        if payment.subscription:
            return await self._of_subscription(account, payment, cause, live=live, also=also)
        if payment.kind == "tip":
            async with self._db.transaction() as session:
                tip = await session.get(TipRow, TipId(payment.reference), with_for_update=True)
                if tip is not None and tip.stripe_account_id == account:
                    await self._tips.book(session, tip, payment, Trail(self._ids, self._clock.now(), cause))
        elif payment.kind == "gift":
            await self._gifts.book(account, payment, GiftId(payment.reference), cause=cause)
        elif payment.kind == "order":
            async with self._db.reading() as session:
                order = await session.get(OrderRow, OrderId(payment.reference))
            if order is not None and order.stripe_account_id == account:
                await self._orders.book(account, payment, order, cause=cause, also=also)
        return False

    async def invoice(
        self,
        account: StripeAccountId,
        external_id: str,
        *,
        cause: CauseId,
        since: datetime | None = None,
        live: bool = True,
        also: Also | None = None,
    ) -> None:
        """Fetch an invoice: its subscription first, for that decides access, then the books; with those of its last payment, ``also``.

        Where no webhook told of it (``live`` is false) a subscription we hold was looked at before: only the books are left.
        """
        invoice = await (await self._gateways.of(account)).invoice(external_id)
        if not invoice.subscription:
            return
        async with self._db.reading() as session:
            held = await subscriptions.by_stripe_id(session, account, invoice.subscription)
        if live or held is None:
            await self._subscriptions.refresh(account, invoice.subscription, cause=cause, since=since)
        for intent in invoice.payment_intents:
            last = intent == invoice.payment_intents[-1]
            await self.look(account, intent, cause=cause, since=since, live=live, also=also if last else None, of=invoice)

    async def _of_subscription(
        self, account: StripeAccountId, payment: PaymentSnapshot, cause: CauseId, *, live: bool, also: Also | None
    ) -> bool:
        async with self._db.transaction() as session:
            row = await subscriptions.by_stripe_id(session, account, payment.subscription, lock=True)
            if row is None:
                return False
            trail = Trail(self._ids, self._clock.now(), cause)
            await Books(session, self._ids, row.community_id, account, trail).payment(payment, SALES, f"subscription:{row.id}")
            if payment.unsettled:
                due = trail.at + FEE_KNOWN_AFTER
                await add_refetch(session, trail, row.community_id, stripe_lane(account), payment.external_id, due)
            if payment.given_back:
                await disputes.given_back(session, SourceKind.SUBSCRIPTION, row.id, trail.at)
            waits = not live and await comparing.stopped(session, account, payment.subscription)
            undone = payment.restored and row.refunded_until is not None
            if also is not None and not payment.given_back and not undone:
                await also(session)
        if payment.given_back and waits:
            raise Stopped("given back in full, but the community is stopped until somebody has looked at what would end in it")
        if payment.given_back or undone:
            await self._subscriptions.refunded(account, payment.subscription, payment.invoice, given_back=payment.given_back, cause=cause)
        return True
