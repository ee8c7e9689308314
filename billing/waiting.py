"""Orders whose payer went to the processor and of which we heard no more."""

import logging
from collections.abc import Collection
from datetime import timedelta

from billing.order import Orders
from billing.several import GONE, Several
from core.clock import Clock
from core.errors import PermanentError
from core.ids import CauseId, CommunityId, Ids, OrderId, StripeAccountId
from core.payments import CheckoutSnapshot, CheckoutStatus, PaymentGateway
from storage import comparing
from storage.audit import Trail
from storage.database import Database
from storage.orders import OrderRow, OrderStatus
from storage.overdue import SubscriptionRef

PAGE = 200
LOST_AFTER = timedelta(days=1)
"""How long past its time an open order may still turn out to be paid, though the processor does not know its checkout."""
_log = logging.getLogger(__name__)


class WaitingOrders:
    """One round over an account's open and pending orders. ``over`` is the community of each whose checkout is.

    ``weighed`` are the checkouts of subscriptions we hold: to be settled once those are looked at. ``failed`` are for a person to see.
    """

    def __init__(
        self, *, db: Database, clock: Clock, ids: Ids, orders: Orders, account: StripeAccountId, cause: CauseId, dry_run: bool
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._orders = orders
        self._account = account
        self._cause = cause
        self._dry_run = dry_run
        self.over: list[CommunityId] = []
        self.weighed: dict[SubscriptionRef, CheckoutSnapshot] = {}
        self.failed: list[OrderId] = []

    async def ask(self, gateway: PaymentGateway) -> None:
        """Ask about each, and settle those by which nothing that goes on can end."""

        async def ask(name: OrderId) -> None:
            try:
                checkout = await gateway.checkout(page[name].checkout_session_id or "")
            except PermanentError as error:
                if error.code != GONE:
                    raise
                await self._lost(page[name])
            else:
                await self._heard(page[name], checkout)

        page: dict[OrderId, OrderRow] = {}
        while True:
            async with self._db.reading() as session:
                rows = await comparing.waiting_orders(session, self._account, max(page, default=OrderId("")), PAGE)
            page = {row.id: row for row in rows}
            if not page:
                return
            asking = Several[OrderId]()
            await asking.each(page, ask)
            self.failed += asking.failed

    async def settle(self, unanswered: Collection[SubscriptionRef]) -> None:
        """Settle the orders of subscriptions that were looked at meanwhile; those of a stopped community wait for its person."""

        async def settle(ref: SubscriptionRef) -> None:
            async with self._db.reading() as session:
                waits = await comparing.stopped(session, ref.account, ref.external_id)
            if not waits:
                await self._orders.settle(self._account, self.weighed[ref], cause=self._cause)

        asking = Several[SubscriptionRef]()
        await asking.each(sorted(self.weighed.keys() - set(unanswered)), settle)
        self.failed += [OrderId(self.weighed[ref].reference) for ref in asking.failed]

    async def _heard(self, order: OrderRow, checkout: CheckoutSnapshot) -> None:
        if checkout.status is CheckoutStatus.OPEN:
            return
        self.over.append(order.community_id)
        async with self._db.reading() as session:
            held = await comparing.subscriptions(session, self._account, [checkout.subscription])
        if held:
            self.weighed[SubscriptionRef(self._account, checkout.subscription)] = checkout
        elif not self._dry_run:
            await self._orders.settle(self._account, checkout, cause=self._cause)

    async def _lost(self, order: OrderRow) -> None:
        """Expire an open order whose checkout the processor does not know: nobody can pay it, and it would bar a new one."""
        if order.status != OrderStatus.OPEN or order.expires_at + LOST_AFTER > self._clock.now():
            return
        _log.warning("order %s is given up: the processor does not know its checkout", order.id)
        self.over.append(order.community_id)
        if not self._dry_run:
            async with self._db.transaction() as session:
                await comparing.expire(session, order.id, Trail(self._ids, self._clock.now(), self._cause))
