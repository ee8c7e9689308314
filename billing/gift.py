"""Gifts: one pays, another has it; for somebody named, or for whoever opens the link first."""

from dataclasses import dataclass, replace
from datetime import timedelta

from billing import gift_settling, stock
from billing.customer import Customers, Payer, is_gone
from billing.gift_settling import lasts
from billing.giving import Extensions, Given, check_not_for_life
from core.clock import Clock
from core.errors import PermanentError, Refusal
from core.ids import CauseId, CommunityId, GiftId, Ids, MemberId, PlatformName, StripeAccountId
from core.money import Money, check_chargeable
from core.payments import CheckoutRequest, CheckoutSnapshot, CheckoutStatus, PaymentGateways, PaymentSnapshot, PaymentState
from core.people import Identity
from storage import accounts, gifts, linking, plans, states
from storage.audit import Trail, record
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.gifts import GiftRow, GiftStatus
from storage.plans import PlanRow, PlanStatus, PlanView, PriceView
from storage.stripe_accounts import ENVIRONMENT

OPEN_FOR = timedelta(hours=1)
MOST = 24
"""Periods in one gift."""


@dataclass(frozen=True, slots=True)
class NewGift:
    """What somebody gives: some periods of a plan, to ``to`` or, where that is None, to whoever has the link."""

    plan: str
    count: int
    to: Identity | None


@dataclass(frozen=True, slots=True)
class GiftStarted:
    """Where to pay, and the code of the gift's link; empty for a gift to somebody named."""

    url: str
    amount: Money
    plan: str
    lasts: str
    code: str


@dataclass(frozen=True, slots=True)
class GiftView:
    """A gift as its giver and whoever opens its link see it."""

    id: GiftId
    community_id: CommunityId
    community_name: str
    plan_name: str
    giver: str
    lasts: str
    status: GiftStatus
    platforms: tuple[PlatformName, ...]
    """Where an account can take it, the first space's first."""


class Gifts:
    """Starts, settles, hands over and takes back gifts."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, extensions: Extensions, public_url: str) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._extensions = extensions
        self._public_url = public_url.rstrip("/")
        self._customers = Customers(db=db, ids=ids)

    async def start(self, community: CommunityId, who: Identity, new: NewGift, *, cause: CauseId) -> GiftStarted:
        """Open a checkout for a gift. ``cause`` names it: the same command run again opens the same one.

        Refusals ``bad_count``, ``plan_unknown``, ``plan_broken``, ``sold_out``, ``not_a_gift``, ``yourself``, those of money.
        """
        if not 1 <= new.count <= MOST:
            raise Refusal("bad_count", f"Give 1 to {MOST} of them at once.")
        if new.to is not None and (new.to.platform, new.to.realm, new.to.user) == (who.platform, who.realm, who.user):
            raise Refusal("yourself", "That is you. /join gets you a membership of your own.")
        code = self._code(cause) if new.to is None else ""
        gift, plan = await self._row(community, who, new, code, cause)
        if not gift.checkout_url:
            opened = await self._open(gift, plan, who)
            async with self._db.transaction() as session:
                row = await session.get_one(GiftRow, gift.id)
                row.checkout_session_id, row.checkout_url = opened.external_id, opened.url
                session.add(row)
            gift = row
        return GiftStarted(gift.checkout_url, gift.money, plan, lasts(gift.interval), code)

    async def look(self, code: str) -> GiftView:
        """Return a gift by its link's code. Refusal ``gift_unknown``."""
        async with self._db.reading() as session:
            return await self._view(session, await gifts.by_code(session, states.hashed(code)))

    async def given(self, gift: GiftId) -> GiftView:
        """Return a gift for its giver's page. Refusal ``gift_unknown``."""
        async with self._db.reading() as session:
            return await self._view(session, await session.get(GiftRow, gift))

    async def take(self, code_hash: str, who: Identity, *, cause: CauseId) -> GiftView:
        """Have ``who``, proven by the caller, take the gift its link is of. Two who try at once: one gets it.

        Refusals ``gift_unknown``, ``gift_taken``, ``gift_unpaid``, ``account_elsewhere``, ``has_for_life``, ``just_given``.
        """
        async with self._db.transaction() as session:
            gift = await gifts.by_code(session, code_hash, lock=True)
            view = await self._view(session, gift)
            if gift is None:
                raise _unknown()
            await self._may_take(session, gift, view, who)
            trail = Trail(self._ids, self._clock.now(), cause, who.actor)
            account = await accounts.ensure(session, gift.community_id, who, self._ids, trail.at)
            given = await gift_settling.hand_over(session, gift, account, trail)
        await self._carry_out(given)
        return replace(view, status=GiftStatus.TAKEN)

    async def settle(self, account: StripeAccountId, checkout: CheckoutSnapshot, *, cause: CauseId) -> None:
        """Write what a checkout says of a gift; once it is paid, book it, and hand it to whoever it is for."""
        payment = None
        if checkout.payment_intent:
            payment = await (await self._gateways.of(account)).payment(checkout.payment_intent)
        given: Given | None = None
        async with self._db.transaction() as session:
            gift = await session.get(GiftRow, GiftId(checkout.reference), with_for_update=True)
            if gift is None or gift.stripe_account_id != account:
                return
            trail = Trail(self._ids, self._clock.now(), cause)
            gift.checkout_session_id = checkout.external_id
            session.add(gift)
            if payment is not None and checkout.payment is PaymentState.PAID:
                given = await gift_settling.paid(session, gift, payment, trail)
            elif checkout.status is CheckoutStatus.EXPIRED and gift.status == GiftStatus.OPEN:
                gifts.advance(session, gift, GiftStatus.EXPIRED, trail, checkout.external_id)
            elif checkout.status is CheckoutStatus.COMPLETE and gift.status in {GiftStatus.OPEN, GiftStatus.PENDING}:
                arriving = payment is None or payment.status in {"processing", "succeeded"}
                gifts.advance(session, gift, GiftStatus.PENDING if arriving else GiftStatus.FAILED, trail, checkout.external_id)
        await self._carry_out(given)

    async def book(self, account: StripeAccountId, payment: PaymentSnapshot, gift_id: GiftId, *, cause: CauseId) -> None:
        """Book a gift's payment, fee and refunds; one given back in full ends, whoever has it."""
        given: Given | None = None
        async with self._db.transaction() as session:
            gift = await session.get(GiftRow, gift_id, with_for_update=True)
            if gift is not None and gift.stripe_account_id == account:
                given = await gift_settling.book(session, gift, payment, Trail(self._ids, self._clock.now(), cause))
        await self._carry_out(given)

    def _code(self, cause: CauseId) -> str:
        """A secret that a command run again has not forgotten would have to be stored: so each run has its own, and the last one works."""
        return f"{cause[:8]}{self._ids.secret()}"

    async def _row(self, community: CommunityId, who: Identity, new: NewGift, code: str, cause: CauseId) -> tuple[GiftRow, str]:
        async with self._db.transaction() as session:
            row = await plans.by_name(session, community, new.plan)
            if row is None or row.status != PlanStatus.ACTIVE:
                raise Refusal("plan_unknown", f"There is no plan “{new.plan[:60]}” here. /join shows what there is.")
            view = await plans.view(session, row)
            trail = Trail(self._ids, self._clock.now(), cause, who.actor)
            known = await session.get(GiftRow, GiftId(cause))
            if known is not None:
                known.code_hash = states.hashed(code) if code else None
                session.add(known)
                return known, row.name
            account = await accounts.ensure(session, community, who, self._ids, trail.at)
            to = await accounts.ensure(session, community, new.to, self._ids, trail.at) if new.to else None
            price = _priced(view)
            cost = Money(price.money.minor * new.count, price.money.currency)
            check_chargeable(cost)
            if to is not None:
                await check_not_for_life(session, (community, MemberId(to.member_id)), row.id)
            await stock.take(session, view, MemberId(to.member_id) if to else None)
            gift = GiftRow(
                id=GiftId(cause), community_id=community, member_id=account.member_id, giver=account.name, plan_id=row.id,
                interval_unit=price.interval.unit, interval_count=price.interval.count * new.count, amount=cost.minor,
                currency=cost.currency, for_account_id=to.id if to else None, code_hash=states.hashed(code) if code else None,
                stripe_account_id=ENVIRONMENT, created_at=trail.at, expires_at=trail.at + OPEN_FOR,
            )  # fmt: skip
            session.add(gift)
            record(session, trail, community, "gift.opened", ("gift", gift.id), member=gift.member_id,
                   after={"plan": row.name, "price": str(cost)})  # fmt: skip
            return gift, row.name

    async def _open(self, gift: GiftRow, plan: str, who: Identity) -> CheckoutSnapshot:
        gateway = await self._gateways.of(gift.stripe_account_id)
        payer = Payer(gift.community_id, gift.member_id, gift.stripe_account_id, gift.currency, who.name or who.user)
        customer = await self._customers.ensure(gateway, payer)
        page = f"{self._public_url}/given/{gift.id}"
        request = CheckoutRequest(
            reference=gift.id, kind="gift", recurring=False, success_url=page, cancel_url=page, expires_at=gift.expires_at,
            amount=gift.money, name=f"Gift: {plan} {lasts(gift.interval)}", customer=customer,
        )  # fmt: skip
        try:
            return await gateway.create_checkout(request, key=f"gift:{gift.id}:{customer}")
        except PermanentError as error:
            if not is_gone(error, customer):
                raise
        await self._customers.replace(gateway, payer, customer)
        customer = await self._customers.ensure(gateway, payer)
        return await gateway.create_checkout(replace(request, customer=customer), key=f"gift:{gift.id}:{customer}")

    async def _may_take(self, session: Session, gift: GiftRow, view: GiftView, who: Identity) -> None:
        if gift.status == GiftStatus.TAKEN:
            raise Refusal("gift_taken", "This gift has been taken already. If that was not you, ask whoever gave it to you.")
        if gift.status != GiftStatus.PAID:
            raise Refusal("gift_unpaid", "This gift is not paid for, or was taken back. Ask whoever gave it to you.")
        if not await linking.is_here(session, gift.community_id, who.platform, who.realm):
            raise Refusal(
                "account_elsewhere",
                f"@{who.name} is an account of a place that does not belong to {view.community_name}. "
                f"Continue with the one you use in {view.community_name}.",
            )

    async def _carry_out(self, given: Given | None) -> None:
        if given is not None and given.extension is not None:
            await self._extensions.carry_out(given.extension)

    async def _view(self, session: Session, gift: GiftRow | None) -> GiftView:
        if gift is None:
            raise _unknown()
        plan = await session.get_one(PlanRow, gift.plan_id)
        community = await session.get_one(CommunityRow, gift.community_id)
        places = tuple(dict.fromkeys(space.platform for space in await linking.spaces_of(session, gift.community_id)))
        status = GiftStatus(gift.status)
        return GiftView(gift.id, gift.community_id, community.name, plan.name, gift.giver, lasts(gift.interval), status, places)


def _priced(plan: PlanView) -> PriceView:
    if plan.problem:
        raise Refusal("plan_broken", f"“{plan.name}” can't be delivered right now, so it is not sold. Its owner has been told; try later.")
    if plan.approval:
        raise Refusal("not_a_gift", f"“{plan.name}” is for those its owner has accepted, so it can't be given. /join shows what else is.")
    return plan.prices[0]


def _unknown() -> Refusal:
    return Refusal("gift_unknown", "There is no such gift. Check its link letter by letter, or ask whoever gave it to you.")
