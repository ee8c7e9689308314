"""From one plan or price to another: dearer once it is paid for, cheaper with the next period, and never two at once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing import pricing, stock
from billing.subscription import Subscriptions
from core.clock import Clock
from core.errors import PermanentError, Refusal
from core.events import Notice, NoticeKind
from core.ids import CauseId, CommunityId, Ids, PriceId
from core.payments import ChangeTiming, Interval, IntervalUnit, PaymentGateways, SubscriptionSnapshot
from core.people import Identity
from storage import accounts, applications, members, plans, price_moves, prices, subscriptions
from storage.applications import ApplicationState
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.outbox import add_notice
from storage.plans import PlanRow, PlanView, PriceView
from storage.price_moves import PriceMoveRow
from storage.prices import PriceRow
from storage.subscriptions import SubscriptionRow

BATCH = 100
_DAYS = {IntervalUnit.WEEK: 7, IntervalUnit.MONTH: 30, IntervalUnit.YEAR: 365}


class Became(StrEnum):
    """What came of a move."""

    DONE = "done"
    UNPAID = "unpaid"
    """It waits for its payment, and nothing has changed until then."""
    LATER = "later"
    """It comes with the next period."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The plan and price, and when it is so; ``pay_url`` is where an unpaid one is paid."""

    became: Became
    plan: str
    price: PriceView
    at: datetime
    pay_url: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to go on."""

    plan: str
    price: PriceView
    later: bool


@dataclass(frozen=True, slots=True)
class _Move:
    paying: SubscriptionRow
    plan: PlanRow
    price: PriceRow
    shown: PriceView
    timing: ChangeTiming


class Moves:
    """Changes what somebody subscribes to."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways, subscriptions: Subscriptions) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways
        self._subscriptions = subscriptions

    async def options(self, community: CommunityId, who: Identity) -> list[Option]:
        """Return what somebody's subscription may change to, now or with its next period. Refusals as :meth:`move`."""
        async with self._db.reading() as session:
            paying = await self._paying(session, community, who)
            now = await prices.of_stripe(session, paying.stripe_account_id, paying.stripe_price_id)
            if now is None:
                return []
            before = _rate(now, await session.get_one(PlanRow, now.plan_id))
            return [
                Option(view.name, price, later=timing_of(before, (price.money.minor, price.interval)) is ChangeTiming.PERIOD_END)
                for view in await plans.views(session, community)
                for price in view.prices
                if view.sellable and price.floor is None and price.interval.recurring and price.money.currency == now.currency
                and price.id not in {now.id, now.parent_id}
            ]  # fmt: skip

    async def move(self, community: CommunityId, who: Identity, price: PriceId, *, actor: str, cause: CauseId) -> Moved:
        """Change what ``who`` subscribes to. ``cause`` names it: the same command run again changes nothing more.

        Refusals ``nothing_to_change``, ``several_subscriptions``, ``payment_waiting``, ``already_cancelled``, ``paused``,
        ``price_unknown``, ``already_on_it``, ``other_currency``, ``sold_out``, ``not_accepted``, ``plan_broken``.
        """
        move = await self._prepare(community, who, price, actor, cause)
        paying = move.paying
        gateway = await self._gateways.of(paying.stripe_account_id)
        asked_at = self._clock.now()
        external = await pricing.at_processor(self._db, gateway, move.price)
        snapshot = await gateway.change_price(paying.stripe_subscription_id, external, move.timing, key=f"move:{cause}")
        trail = Trail(self._ids, asked_at, cause, actor)
        async with self._db.transaction() as session:
            await self._subscriptions.apply(session, paying.stripe_account_id, snapshot, trail)
        if external in snapshot.prices:
            return Moved(Became.DONE, move.plan.name, move.shown, asked_at)
        if snapshot.waits:
            invoice = await gateway.invoice(snapshot.latest_invoice)
            return Moved(Became.UNPAID, move.plan.name, move.shown, asked_at, invoice.hosted_url)
        return Moved(Became.LATER, move.plan.name, move.shown, snapshot.period_end)

    async def run(self) -> int:
        """Carry out the price changes whose notice is over; returns how many there were."""
        async with self._db.reading() as session:
            due = await price_moves.due(session, self._clock.now(), BATCH)
        for row in due:
            await self._told_long_enough(row)
        return len(due)

    async def _told_long_enough(self, move: PriceMoveRow) -> None:
        async with self._db.reading() as session:
            paying = await session.get_one(SubscriptionRow, move.subscription_id)
            price = await session.get_one(PriceRow, move.price_id)
            old = await session.get(PriceRow, price.parent_id) if price.parent_id else None
        still = old is not None and paying.stripe_price_id == old.stripe_price_id and paying.status not in subscriptions.OVER
        error = "" if still else "they pay another price by now, or none"
        snapshot: SubscriptionSnapshot | None = None
        asked_at = self._clock.now()
        if still:
            gateway = await self._gateways.of(paying.stripe_account_id)
            try:
                external = await pricing.at_processor(self._db, gateway, price)
                snapshot = await gateway.change_price(
                    paying.stripe_subscription_id, external, ChangeTiming.RENEWAL, key=f"price_move:{move.id}"
                )
            except PermanentError as problem:
                error = f"{problem}"[:500]
        async with self._db.transaction() as session:
            trail = Trail(self._ids, asked_at, move.cause_id)
            if snapshot is not None:
                await self._subscriptions.apply(session, paying.stripe_account_id, snapshot, trail)
            row = await session.get_one(PriceMoveRow, move.id)
            row.done_at, row.error = self._clock.now(), error
            session.add(row)
            record(session, trail, move.community_id, "subscription.price_moved", ("subscription", paying.id), member=paying.member_id,
                   after={"price": str(price.money)}, answer=error)  # fmt: skip

    async def _prepare(self, community: CommunityId, who: Identity, price: PriceId, actor: str, cause: CauseId) -> _Move:
        """Check everything and take the new seat; the processor is asked once this is durable."""
        async with self._db.transaction() as session:
            paying = await self._paying(session, community, who)
            await members.hold(session, paying.member_id)
            row = await session.get(PriceRow, price)
            if row is None or row.community_id != community or not row.active:
                raise Refusal("price_unknown", "It is not sold at that price any more. /manage shows what there is.")
            plan = await session.get_one(PlanRow, row.plan_id)
            view = await plans.view(session, plan)
            now = await prices.of_stripe(session, paying.stripe_account_id, paying.stripe_price_id)
            shown = plans.price_view(row, plan.interval)
            if now is not None and paying.next_price_id == row.id:
                return _Move(paying, plan, row, shown, _timing(now, await session.get_one(PlanRow, now.plan_id), row, plan))
            await self._check(session, paying, now, row, view, trusted=actor != who.actor)
            if plan.id != paying.plan_id:
                await stock.take(session, view, paying.member_id)
            paying.next_price_id = row.id
            session.add(paying)
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            record(session, trail, community, "subscription.move_asked", ("subscription", paying.id), member=paying.member_id,
                   before={"plan": paying.plan_id}, after={"plan": plan.id, "price": str(row.money)})  # fmt: skip
            if actor != who.actor:
                notice = Notice(NoticeKind.MOVED, {"plan": plan.name, "price": str(shown)})
                await add_notice(session, trail, community, notice, member=paying.member_id, dedupe=f"moved:{cause}")
            timing = ChangeTiming.PAID if now is None else _timing(now, await session.get_one(PlanRow, now.plan_id), row, plan)
            return _Move(paying, plan, row, shown, timing)

    async def _check(
        self, session: Session, paying: SubscriptionRow, now: PriceRow | None, row: PriceRow, view: PlanView, *, trusted: bool
    ) -> None:
        interval = row.interval_of(view.interval)
        if now is not None and now.id == row.id:
            raise Refusal("already_on_it", f"That is “{view.name}” at {row.money} {interval} already. Nothing was changed.")
        if now is not None and now.currency != row.currency:
            raise Refusal(
                "other_currency", f"A subscription keeps its currency, {now.currency}. End it with /manage, then /join in another."
            )
        if not interval.recurring or row.minimum is not None:
            raise Refusal("price_unknown", f"A subscription can't become {row.money} {interval}. Buy it with /join when yours has ended.")
        if not view.sellable:
            raise Refusal("plan_broken", f"“{view.name}” can't be delivered right now: {view.problem} Nothing was changed.")
        if view.approval and not trusted and view.id != paying.plan_id:
            asked = await applications.of_member(session, view.id, paying.member_id)
            if asked is None or asked.state != ApplicationState.ACCEPTED:
                raise Refusal("not_accepted", f"“{view.name}” is for those its owner has accepted. Ask for it with /join first.")

    async def _paying(self, session: Session, community: CommunityId, who: Identity) -> SubscriptionRow:
        """Return the one subscription that can change. It is what `who` pays for, not what they were given."""
        account = await accounts.find(session, community, who)
        rows = await subscriptions.going_on(session, account.member_id) if account else []
        if not rows:
            raise Refusal("nothing_to_change", f"@{who.name} has no subscription here. /join buys one.")
        if len(rows) > 1:
            raise Refusal("several_subscriptions", f"@{who.name} has {len(rows)} subscriptions here. End all but one with /manage first.")
        (row,) = rows
        if row.status not in {"active", "trialing"}:
            raise Refusal("payment_waiting", "A payment is waiting. /manage is where the card is put right; then change the plan.")
        if row.cancel_at is not None:
            raise Refusal(
                "already_cancelled", f"It is cancelled, and ends on {row.cancel_at:%-d %B %Y}. Turn it back on with /manage first."
            )
        if row.paused_until is not None:
            raise Refusal("paused", "It is paused. Resume it with /manage first, then change the plan.")
        return row


def _rate(price: PriceRow, plan: PlanRow) -> tuple[int, Interval]:
    return price.amount, price.interval_of(plan.interval)


def _timing(now: PriceRow, plan_now: PlanRow, then: PriceRow, plan_then: PlanRow) -> ChangeTiming:
    return timing_of(_rate(now, plan_now), _rate(then, plan_then))


def timing_of(now: tuple[int, Interval], then: tuple[int, Interval]) -> ChangeTiming:
    """Return when one changes to another. Pure: what costs more, or is paid further ahead, once it is paid; else with the next period."""
    (amount, interval), (new_amount, new_interval) = now, then
    days, new_days = (_DAYS.get(one.unit, 1) * one.count for one in (interval, new_interval))
    if new_days != days:
        return ChangeTiming.PAID if new_days > days else ChangeTiming.PERIOD_END
    return ChangeTiming.PAID if new_amount >= amount else ChangeTiming.PERIOD_END
