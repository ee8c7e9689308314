"""Tips: a single payment to the creator, settled by webhook, booked and thanked."""

from dataclasses import dataclass, replace
from datetime import timedelta

from billing.customer import Customers, Payer, is_gone
from billing.ledger import FEE_KNOWN_AFTER, TIPS, Books
from core.clock import Clock
from core.dispatch import stripe_lane
from core.errors import PermanentError, Refusal
from core.events import Notice, NoticeKind
from core.ids import CauseId, CommunityId, CustomerId, Ids, SpaceId, StripeAccountId, TipId
from core.money import Money, check_chargeable
from core.payments import CheckoutRequest, CheckoutSnapshot, CheckoutStatus, PaymentGateways, PaymentSnapshot, PaymentState
from core.people import Identity
from storage import accounts, customers, tips
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.customers import CustomerRow
from storage.database import Database, Session
from storage.outbox import add_notice, add_refetch
from storage.stripe_accounts import ENVIRONMENT
from storage.tips import TipRow, TipStatus

OPEN_FOR = timedelta(hours=1)
LONGEST_MESSAGE = 300
LARGEST = 50_000_00
"""The most one tip may be, in hundredths of the currency's unit; a slip of the finger costs more than it pleases."""
PER_HOUR = 10
"""How many tips one member may start in an hour: against card testing."""


@dataclass(frozen=True, slots=True)
class TipStarted:
    """Where to pay."""

    url: str
    tip_id: TipId
    amount: Money


@dataclass(frozen=True, slots=True)
class TipView:
    """A tip for its thanks page."""

    community_name: str
    amount: Money
    state: TipStatus


class Tips:
    """Starts and settles tips."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, public_url: str) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._public_url = public_url.rstrip("/")
        self._customers = Customers(db=db, ids=ids)

    async def start(
        self, community: CommunityId, space: SpaceId, who: Identity, amount: Money, message: str, *, anonymous: bool, cause: CauseId
    ) -> TipStarted:
        """Open a checkout for a tip. ``cause`` names it: the same command run again opens the same one.

        Refusals ``amount_too_small``, ``amount_too_large``, ``message_too_long``, ``too_many_tips``.
        """
        _check(amount, message)
        tip, name = await self._row(community, space, who, amount, message, anonymous=anonymous, cause=cause)
        if tip.checkout_url:
            return TipStarted(tip.checkout_url, tip.id, tip.money)
        opened = await self._open(tip, name, who)
        async with self._db.transaction() as session:
            row = await session.get_one(TipRow, tip.id)
            row.checkout_session_id, row.checkout_url = opened.external_id, opened.url
            session.add(row)
        return TipStarted(opened.url, tip.id, tip.money)

    async def look(self, tip_id: str) -> TipView:
        """Return a tip for its page. Refusal ``tip_unknown``."""
        async with self._db.reading() as session:
            row = await session.get(TipRow, TipId(tip_id))
            if row is None:
                raise Refusal("tip_unknown", "There is no such tip. Check the address.")
            community = await session.get_one(CommunityRow, row.community_id)
            return TipView(community.name, row.money, TipStatus(row.status))

    async def settle(self, account: StripeAccountId, checkout: CheckoutSnapshot, *, cause: CauseId) -> None:
        """Write what a checkout says of a tip; once it is paid, book it and thank."""
        payment = None
        if checkout.payment_intent:
            payment = await (await self._gateways.of(account)).payment(checkout.payment_intent)
        async with self._db.transaction() as session:
            tip = await session.get(TipRow, TipId(checkout.reference), with_for_update=True)
            if tip is None or tip.stripe_account_id != account:
                return
            trail = Trail(self._ids, self._clock.now(), cause)
            tip.checkout_session_id = checkout.external_id
            session.add(tip)
            if payment is not None and checkout.payment is PaymentState.PAID:
                await self._paid(session, tip, checkout, payment, trail)
            elif (status := _unpaid(checkout, payment)) is not None and tip.status in {TipStatus.OPEN, TipStatus.PENDING}:
                tips.advance(session, tip, status, trail, checkout.external_id)

    async def book(self, session: Session, tip: TipRow, payment: PaymentSnapshot, trail: Trail) -> None:
        """Book a tip's payment, fee and refunds; one given back in full is marked so."""
        books = Books(session, self._ids, tip.community_id, tip.stripe_account_id, trail)
        await books.payment(payment, TIPS, f"tip:{tip.id}")
        if payment.unsettled:
            lane, due = stripe_lane(tip.stripe_account_id), trail.at + FEE_KNOWN_AFTER
            await add_refetch(session, trail, tip.community_id, lane, payment.external_id, due)
        if payment.given_back and tip.status != TipStatus.REFUNDED:
            tips.advance(session, tip, TipStatus.REFUNDED, trail, payment.external_id)
        elif payment.restored and tip.status == TipStatus.REFUNDED:
            tips.advance(session, tip, TipStatus.PAID, trail, payment.external_id)

    async def _open(self, tip: TipRow, name: str, who: Identity) -> CheckoutSnapshot:
        """Open the tip's checkout, once more for a new customer where the processor has the known one no more."""
        gateway = await self._gateways.of(tip.stripe_account_id)
        payer = Payer(tip.community_id, tip.member_id, tip.stripe_account_id, tip.currency, who.name or who.user)
        customer = await self._customers.ensure(gateway, payer)
        page = f"{self._public_url}/tip/{tip.id}"
        request = CheckoutRequest(
            reference=tip.id, kind="tip", recurring=False, success_url=page, cancel_url=page, expires_at=tip.expires_at,
            amount=tip.money, name=f"Tip for {name}", customer=customer,
        )  # fmt: skip
        try:
            return await gateway.create_checkout(request, key=f"tip:{tip.id}:{customer}")
        except PermanentError as error:
            if not is_gone(error, customer):
                raise
        await self._customers.replace(gateway, payer, customer)
        customer = await self._customers.ensure(gateway, payer)
        return await gateway.create_checkout(replace(request, customer=customer), key=f"tip:{tip.id}:{customer}")

    async def _paid(self, session: Session, tip: TipRow, checkout: CheckoutSnapshot, payment: PaymentSnapshot, trail: Trail) -> None:
        first = tip.status not in {TipStatus.PAID, TipStatus.REFUNDED}
        if first:
            tip.paid_at, tip.stripe_payment_intent_id = trail.at, payment.external_id
            tips.advance(session, tip, TipStatus.PAID, trail, payment.external_id)
            facts = {"tip": tip.id, "amount": str(tip.money), "message": tip.message, "anonymous": tip.anonymous, "space": tip.space_id}
            notice = Notice(NoticeKind.TIP, facts)
            await add_notice(session, trail, tip.community_id, notice, member=tip.member_id, dedupe=f"tip:{tip.id}")
        if checkout.customer:
            await customers.keep(session, CustomerRow(
                id=CustomerId(self._ids.new()), community_id=tip.community_id, member_id=tip.member_id,
                stripe_account_id=tip.stripe_account_id, stripe_customer_id=checkout.customer, currency=tip.currency))  # fmt: skip
        await self.book(session, tip, payment, trail)

    async def _row(
        self, community: CommunityId, space: SpaceId, who: Identity, amount: Money, message: str, *, anonymous: bool, cause: CauseId
    ) -> tuple[TipRow, str]:
        async with self._db.transaction() as session:
            now = self._clock.now()
            account = await accounts.ensure(session, community, who, self._ids, now)
            name = (await session.get_one(CommunityRow, community)).name
            known = await session.get(TipRow, TipId(cause))
            if known is not None:
                return known, name
            if await tips.started_since(session, account.member_id, now - timedelta(hours=1)) >= PER_HOUR:
                raise Refusal("too_many_tips", "That is a lot of tips in an hour. Please wait a little before the next one.")
            tip = TipRow(
                id=TipId(cause), community_id=community, member_id=account.member_id, space_id=space, amount=amount.minor,
                currency=amount.currency, message=message.strip(), anonymous=anonymous, stripe_account_id=ENVIRONMENT,
                created_at=now, expires_at=now + OPEN_FOR,
            )  # fmt: skip
            session.add(tip)
            record(session, Trail(self._ids, now, cause, who.actor), community, "tip.opened", ("tip", tip.id), member=tip.member_id,
                   after={"amount": str(tip.money)})  # fmt: skip
            return tip, name


def _unpaid(checkout: CheckoutSnapshot, payment: PaymentSnapshot | None) -> TipStatus | None:
    """Return what a checkout without its money says of a tip; None while the payer may still be there."""
    if checkout.status is CheckoutStatus.OPEN:
        return None
    if checkout.status is CheckoutStatus.EXPIRED:
        return TipStatus.EXPIRED
    arriving = payment is None or payment.status in {"processing", "succeeded"}
    return TipStatus.PENDING if arriving else TipStatus.FAILED


def _check(amount: Money, message: str) -> None:
    check_chargeable(amount)
    if amount.minor > LARGEST:
        raise Refusal(
            "amount_too_large",
            f"That is more than one tip may be. Make it {Money(LARGEST, amount.currency)} or less; thank you!",
        )
    if len(message) > LONGEST_MESSAGE:
        raise Refusal("message_too_long", f"The message is too long. Say it in {LONGEST_MESSAGE} letters or fewer.")
