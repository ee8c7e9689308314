"""From a link to the processor's checkout: one open order per member and plan, never a second charge."""

from dataclasses import dataclass
from datetime import timedelta

from billing import pricing, stock, trial
from billing.application import answered
from billing.customer import Customers, Payer, is_gone
from billing.eligibility import Outlook, check_bound, check_not_member, check_place, check_places, outlook
from core.clock import Clock
from core.errors import PermanentError, Refusal
from core.ids import CauseId, CommunityId, Ids, OrderId, PriceId
from core.money import Money
from core.offer import check_link
from core.payments import CheckoutRequest, CheckoutSnapshot, CheckoutStatus, PaymentGateway, PaymentGateways
from core.people import Identity
from storage import accounts, coupons, customers, invites, members, orders, subscriptions
from storage.accounts import AccountRow
from storage.audit import Trail, record
from storage.database import Database
from storage.invites import InviteFacts
from storage.orders import OrderRow, OrderStatus
from storage.prices import PriceRow
from storage.stripe_accounts import ENVIRONMENT

OPEN_FOR = timedelta(hours=1)
"""How long a checkout stays open; Stripe takes 30 minutes to 24 hours."""
ASK_AGAIN_WITHIN = timedelta(minutes=5)
"""An order without a checkout is asked for again under the same key this long; after it a fresh one is made."""


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the payer."""

    url: str
    order_id: OrderId
    reused: bool


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What somebody is to pay. ``known``: the order was there before; ``same``: for the price that is asked for now."""

    facts: InviteFacts
    order: OrderRow
    price: PriceRow
    known: bool
    same: bool


class Checkouts:
    """Starts checkouts and opens the portal."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, public_url: str) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._public_url = public_url.rstrip("/")
        self._customers = Customers(db=db, ids=ids)

    async def start(
        self, code: str, who: Identity, *, cause: CauseId, price: PriceId | None = None, amount: Money | None = None
    ) -> Started:
        """Open a checkout for ``who`` through a link, or find the one that is open. ``price`` is the one they chose of several.

        Refusals: those of the link, ``invite_not_yours``, ``account_elsewhere``, ``on_hold``, ``already_member``, ``payment_waiting``,
        ``payment_pending``, ``sold_out``, ``price_unknown``, ``below_floor``, ``asked_first``, ``not_accepted``.
        """
        for _ in range(3):
            wanted = await self._order(code, who, cause, price, amount)
            if isinstance(wanted, Refusal):
                raise wanted
            order, gateway = wanted.order, await self._gateways.of(wanted.order.stripe_account_id)
            if wanted.known and order.checkout_session_id:
                look = gateway.checkout if wanted.same else gateway.expire_checkout
                session = await look(order.checkout_session_id)
                if session.status is CheckoutStatus.OPEN:
                    return Started(session.url, order.id, reused=True)
                if session.status is CheckoutStatus.COMPLETE:
                    return Started(self._welcome(order.id), order.id, reused=True)
                await self._expire(order, cause, who)
                continue
            opened = await self._open(gateway, wanted, who, code) if wanted.same else None
            if opened is None:
                await self._expire(order, cause, who)
                continue
            return Started(opened.url, order.id, reused=wanted.known)
        raise Refusal("checkout_unsettled", "The checkout could not be opened. Please go back to the link and try once more.")

    async def portal(self, community: CommunityId, who: Identity, return_url: str) -> str:
        """Return a short-lived address of the customer portal: that of a subscription that lives first.

        Refusal ``no_customer`` for someone who never paid here, or whom the processor does not know any more.
        """
        async with self._db.reading() as session:
            account = await accounts.find(session, community, who)
            known = [
                *(await subscriptions.customers_of(session, account.member_id, ENVIRONMENT) if account else ()),
                *(await customers.every(session, account.member_id, ENVIRONMENT) if account else ()),
            ]
        for customer in dict.fromkeys(known):
            try:
                return await (await self._gateways.of(ENVIRONMENT)).portal(customer, return_url)
            except PermanentError as error:
                if not is_gone(error, customer):
                    raise
        raise Refusal("no_customer", "You have not paid for anything here yet. /join shows what there is.")

    async def outlook(self, community: CommunityId, who: Identity) -> Outlook:
        """Return what somebody may buy, and what they must wait for instead."""
        async with self._db.reading() as session:
            return await outlook(session, community, who)

    async def _order(self, code: str, who: Identity, cause: CauseId, price: PriceId | None, amount: Money | None) -> _Wanted | Refusal:
        """Return the order, new or found; or, stored too, that the creator is to accept somebody first."""
        async with self._db.transaction() as session:
            facts = await invites.look(session, code)
            if facts is None:
                raise Refusal("invite_unknown", "There is no such link. Check it letter by letter, or ask for a new one.")
            now = self._clock.now()
            check_link(facts.link, now)
            check_bound(facts, who)
            await check_place(session, facts, who)
            account = await accounts.ensure(session, facts.invite.community_id, who, self._ids, now)
            await members.hold(session, account.member_id)  # of two clicks at once, the second finds what the first stored
            known = await orders.open_order(session, account.member_id, facts.plan.id)
            trail = Trail(self._ids, now, cause, who.actor)
            chosen = pricing.choose(facts.plan, price)
            if (no := await answered(session, facts, account, trail)) is not None:
                return no
            row = await pricing.priced(session, facts.plan, chosen, amount, trail)
            if known is not None and _usable(known, now.timestamp()):
                return _Wanted(facts, known, row, known=True, same=price is None or known.price_id == row.id)
            await stock.take(session, facts.plan, account.member_id)
            await check_not_member(session, account, facts.plan, chosen.interval)
            if known is not None:
                orders.advance(session, known, OrderStatus.EXPIRED, trail)
                await session.flush()
            await check_places(session, facts, account)
            order = self._new(facts, account, row, trail)
            session.add(order)
            await session.flush()
            order.trial_days = await trial.take(session, order, facts.plan, trail) if chosen.interval.recurring else 0
            session.add(order)
            record(session, trail, order.community_id, "order.opened", ("order", order.id), member=order.member_id,
                   after={"plan": facts.plan.name, "price": str(row.money)})  # fmt: skip
            return _Wanted(facts, order, row, known=False, same=True)

    def _new(self, facts: InviteFacts, account: AccountRow, price: PriceRow, trail: Trail) -> OrderRow:
        return OrderRow(
            id=OrderId(trail.ids.new()),
            community_id=facts.invite.community_id,
            member_id=account.member_id,
            account_id=account.id,
            plan_id=facts.plan.id,
            price_id=price.id,
            invite_id=facts.invite.id,
            stripe_account_id=facts.plan.stripe_account_id,
            created_at=trail.at,
            expires_at=trail.at + OPEN_FOR,
        )

    async def _open(self, gateway: PaymentGateway, wanted: _Wanted, who: Identity, code: str) -> CheckoutSnapshot | None:
        """Open the order's checkout; None when only a fresh order can have one.

        So it is where the processor knows the order's key with other words, or has the payer's customer no more.
        """
        order, plan = wanted.order, wanted.facts.plan
        payer = Payer(order.community_id, order.member_id, order.stripe_account_id, wanted.price.currency, who.name or who.user)
        customer = await self._customers.ensure(gateway, payer)
        request = CheckoutRequest(
            reference=order.id,
            kind="order",
            recurring=wanted.price.interval_of(plan.interval).recurring,
            success_url=self._welcome(order.id),
            cancel_url=f"{self._public_url}/j/{code}",
            expires_at=order.expires_at,
            price=await pricing.at_processor(self._db, gateway, wanted.price),
            customer=customer,
            trial_days=order.trial_days,
            card=plan.trial_card or not order.trial_days,
            codes=await self._takes_codes(order.community_id),
        )
        try:
            opened = await gateway.create_checkout(request, key=f"order:{order.id}")
        except PermanentError as error:
            if is_gone(error, customer):
                await self._customers.replace(gateway, payer, customer)
            elif error.code != "idempotency":
                raise
            return None
        async with self._db.transaction() as session:
            row = await session.get_one(OrderRow, order.id)
            row.checkout_session_id, row.checkout_url = opened.external_id, opened.url
            session.add(row)
            await trial.follow(session, row, customer, Trail(self._ids, self._clock.now(), CauseId(order.id)))
        return opened

    async def _takes_codes(self, community: CommunityId) -> bool:
        async with self._db.reading() as session:
            return bool(await coupons.live(session, community, self._clock.now()))

    async def _expire(self, order: OrderRow, cause: CauseId, who: Identity) -> None:
        async with self._db.transaction() as session:
            row = await session.get_one(OrderRow, order.id)
            if row.status == OrderStatus.OPEN:
                orders.advance(session, row, OrderStatus.EXPIRED, Trail(self._ids, self._clock.now(), cause, who.actor))

    def _welcome(self, order: OrderId) -> str:
        return f"{self._public_url}/welcome/{order}"


def _usable(order: OrderRow, now: float) -> bool:
    return bool(order.checkout_session_id) or now - order.created_at.timestamp() <= ASK_AGAIN_WITHIN.total_seconds()
