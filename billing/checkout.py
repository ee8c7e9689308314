"""From a link to the processor's checkout: one open order per account and plan, never a second charge."""

from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clock
from core.errors import PermanentError, Refusal
from core.ids import CauseId, CommunityId, Ids, OrderId
from core.offer import check_link
from core.payments import CheckoutRequest, CheckoutSnapshot, CheckoutStatus, Interval, IntervalUnit, PaymentGateway, PaymentGateways
from core.people import Identity
from storage import accounts, customers, entitlements, invites, orders, subscriptions
from storage.accounts import AccountRow
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.invites import InviteFacts
from storage.orders import OrderRow, OrderStatus
from storage.plans import PlanView
from storage.stripe_accounts import ENVIRONMENT
from storage.subscriptions import SubscriptionRow

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


class Checkouts:
    """Starts checkouts and opens the portal."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, public_url: str) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._public_url = public_url.rstrip("/")

    async def start(self, code: str, who: Identity, *, cause: CauseId) -> Started:
        """Open a checkout for ``who`` through a link, or find the one that is open.

        Refusals: those of the link, ``invite_not_yours``, ``already_member``, ``payment_waiting``, ``payment_pending``.
        """
        for _ in range(3):
            facts, order, known = await self._order(code, who, cause)
            gateway = await self._gateways.of(order.stripe_account_id)
            if known and order.checkout_session_id:
                session = await gateway.checkout(order.checkout_session_id)
                if session.status is CheckoutStatus.OPEN:
                    return Started(session.url, order.id, reused=True)
                if session.status is CheckoutStatus.COMPLETE:
                    return Started(self._welcome(order.id), order.id, reused=True)
                await self._expire(order)
                continue
            try:
                session = await self._open(gateway, facts.plan, order, code)
            except PermanentError as error:
                if error.code != "idempotency":
                    raise
                await self._expire(order)  # the same key with other words: the customer has changed since
                continue
            return Started(session.url, order.id, reused=known)
        raise Refusal("checkout_unsettled", "The checkout could not be opened. Please go back to the link and try once more.")

    async def portal(self, community: CommunityId, who: Identity, return_url: str) -> str:
        """Return a short-lived address of the customer portal. Refusal ``no_customer`` for someone who never paid here."""
        async with self._db.reading() as session:
            account = await accounts.find(session, community, who)
            customer = await customers.of_member(session, account.member_id, ENVIRONMENT) if account else ""
        if not customer:
            raise Refusal("no_customer", "You have not paid for anything here yet. /join shows what there is.")
        return await (await self._gateways.of(ENVIRONMENT)).portal(customer, return_url)

    async def _order(self, code: str, who: Identity, cause: CauseId) -> tuple[InviteFacts, OrderRow, bool]:
        """Return the link's facts and the one open order, and whether it was there before."""
        async with self._db.transaction() as session:
            facts = await invites.look(session, code)
            if facts is None:
                raise Refusal("invite_unknown", "There is no such link. Check it letter by letter, or ask for a new one.")
            now = self._clock.now()
            check_link(facts.link, now)
            _check_bound(facts, who)
            account = await accounts.ensure(session, facts.invite.community_id, who, self._ids, now)
            known = await orders.open_order(session, account.id, facts.plan.id)
            if known is not None and _usable(known, now.timestamp()):
                return facts, known, True
            await _check_not_member(session, account, facts.plan)
            await _check_places(session, facts)
            if known is not None:
                known.status = OrderStatus.EXPIRED
                session.add(known)
                await session.flush()
            order = self._new(facts, account, Trail(self._ids, now, cause, who.actor))
            session.add(order)
            record(session, Trail(self._ids, now, cause, who.actor), order.community_id, "order.opened", ("order", order.id),
                   member=order.member_id, after={"plan": facts.plan.name, "price": str(facts.plan.price)})  # fmt: skip
            return facts, order, False

    def _new(self, facts: InviteFacts, account: AccountRow, trail: Trail) -> OrderRow:
        return OrderRow(
            id=OrderId(trail.ids.new()),
            community_id=facts.invite.community_id,
            member_id=account.member_id,
            account_id=account.id,
            plan_id=facts.plan.id,
            price_id=facts.plan.price_id,
            invite_id=facts.invite.id,
            stripe_account_id=facts.plan.stripe_account_id,
            created_at=trail.at,
            expires_at=trail.at + OPEN_FOR,
        )

    async def _open(self, gateway: PaymentGateway, plan: PlanView, order: OrderRow, code: str) -> CheckoutSnapshot:
        async with self._db.reading() as session:
            customer = await customers.of_member(session, order.member_id, order.stripe_account_id)
            had = await subscriptions.ever(session, order.member_id)
        request = CheckoutRequest(
            reference=order.id,
            kind="order",
            recurring=plan.interval.recurring,
            success_url=self._welcome(order.id),
            cancel_url=f"{self._public_url}/j/{code}",
            expires_at=order.expires_at,
            price=plan.stripe_price_id,
            customer=customer,
            trial_days=0 if had else plan.trial_days,
        )
        opened = await gateway.create_checkout(request, key=f"order:{order.id}")
        async with self._db.transaction() as session:
            row = await session.get_one(OrderRow, order.id)
            row.checkout_session_id, row.checkout_url = opened.external_id, opened.url
            session.add(row)
        return opened

    async def _expire(self, order: OrderRow) -> None:
        async with self._db.transaction() as session:
            row = await session.get_one(OrderRow, order.id)
            if row.status == OrderStatus.OPEN:
                row.status = OrderStatus.EXPIRED
                session.add(row)

    def _welcome(self, order: OrderId) -> str:
        return f"{self._public_url}/welcome/{order}"


def _usable(order: OrderRow, now: float) -> bool:
    return bool(order.checkout_session_id) or now - order.created_at.timestamp() <= ASK_AGAIN_WITHIN.total_seconds()


def _check_bound(facts: InviteFacts, who: Identity) -> None:
    invite = facts.invite
    bound = (invite.bound_platform, invite.bound_realm, invite.bound_user)
    if invite.bound_user is not None and bound != (who.platform, who.realm, who.user):
        raise Refusal("invite_not_yours", f"This link is for @{invite.bound_name} alone. Ask in {facts.link.community_name} for your own.")


async def _check_not_member(session: Session, account: AccountRow, plan: PlanView) -> None:
    if not extends(plan.interval) and await entitlements.live(session, account.community_id, account.member_id, plan.id):
        raise Refusal("already_member", f"You have “{plan.name}” already. Nothing was charged.")
    if (held := await subscriptions.waiting(session, account.member_id, plan.id)) is not None:
        raise Refusal("payment_waiting", _lives_on(held, plan.name))
    if await orders.pending(session, account.id, plan.id):
        raise Refusal("payment_pending", f"Your payment for “{plan.name}” is on its way. You are let in as soon as it arrives.")


def _lives_on(held: SubscriptionRow, plan: str) -> str:
    if held.status in {"past_due", "unpaid", "paused"}:
        return f"Your “{plan}” is waiting for a payment. /manage is where you put your card right; don't pay twice."
    if held.cancel_at is not None:
        return f"Your subscription to “{plan}” runs until {held.cancel_at:%d %B %Y}. After that you can join again; /manage turns it back on."
    return f"Your subscription to “{plan}” still renews, and opens it again with its next payment. /manage is where you end it."


def extends(interval: Interval) -> bool:
    """Whether buying again adds time to what one has, instead of being a double."""
    return interval.unit is IntervalUnit.DAYS


async def _check_places(session: Session, facts: InviteFacts) -> None:
    if facts.invite.max_uses is None:
        return
    taken = facts.invite.uses + await orders.open_through(session, facts.invite.id)
    if taken >= facts.invite.max_uses:
        raise Refusal(
            "invite_used_up", "Somebody is just paying through this link for the last place. Try again in an hour, or ask for a new link."
        )
