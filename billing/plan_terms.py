"""What a plan is sold by beside its price: seats, trials, approval; and its further prices."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing import pricing
from core.clock import Clock
from core.errors import Refusal
from core.events import Notice, NoticeKind
from core.ids import CauseId, CommunityId, Ids, PriceId
from core.money import Money, check_chargeable
from core.payments import Interval, PaymentGateways
from storage import plans, price_moves
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.outbox import add_notice
from storage.plans import PlanRow, PlanStatus, PlanView, PriceView
from storage.price_moves import PriceMoveRow
from storage.prices import PriceRow
from storage.subscriptions import SubscriptionRow

LONGEST_TRIAL = 365
MOST_SEATS = 1_000_000
MOST_PRICES = 12
SHORTEST_NOTICE, LONGEST_NOTICE = 7, 365


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be changed; None leaves as it is. ``seats`` 0 takes the limit away."""

    seats: int | None = None
    trial_days: int | None = None
    trial_card: bool | None = None
    approval: bool | None = None


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """A plan with its new price, and how many of those who pay the old one are told of a move, for when."""

    plan: PlanView
    price: PriceView
    moved: int
    kept: int


class PlanTerms:
    """Changes how a plan is sold. Whoever has it is never charged otherwise than they were told."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, gateways: PaymentGateways) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._gateways = gateways

    async def change(self, community: CommunityId, name: str, terms: Terms, *, actor: str, cause: CauseId) -> PlanView:
        """Change a plan's terms. Fewer seats than are taken end nobody's. Refusals ``plan_unknown``, ``bad_seats``, ``bad_trial``."""
        if terms.seats is not None and not 0 <= terms.seats <= MOST_SEATS:
            raise Refusal("bad_seats", f"Say how many seats, from 1 to {MOST_SEATS:,}; 0 for no limit.")
        if terms.trial_days is not None and not 0 <= terms.trial_days <= LONGEST_TRIAL:
            raise Refusal("bad_trial", f"A trial lasts 1 to {LONGEST_TRIAL} days; 0 for none.")
        async with self._db.transaction() as session:
            plan = await self._named(session, community, name)
            before = _terms(plan)
            plan.seats = plan.seats if terms.seats is None else terms.seats or None
            plan.trial_days = plan.trial_days if terms.trial_days is None else terms.trial_days
            plan.trial_card = plan.trial_card if terms.trial_card is None else terms.trial_card
            plan.approval = plan.approval if terms.approval is None else terms.approval
            session.add(plan)
            await session.flush()
            view = await plans.view(session, plan)
            if plan.trial_days and not any(price.interval.recurring for price in view.prices):
                raise Refusal("bad_trial", f"A trial needs a price that renews. “{plan.name}” has none: set trial_days to 0.")
            if before != _terms(plan):
                trail = Trail(self._ids, self._clock.now(), cause, actor)
                record(session, trail, community, "plan.changed", ("plan", plan.id), before=before, after=_terms(plan))
            return view

    async def add_price(
        self, community: CommunityId, name: str, price: Money, interval: Interval, floor: Money | None, *, actor: str, cause: CauseId
    ) -> tuple[PlanView, PriceView]:
        """Sell a plan at one more price. Refusals ``plan_unknown``, ``price_there``, ``too_many_prices``, ``bad_floor``, those of money."""
        _check(price, floor)
        async with self._db.transaction() as session:
            plan = await self._named(session, community, name)
            view = await plans.view(session, plan)
            row = await session.get(PriceRow, PriceId(cause))
            if row is None:
                there = next((one for one in view.prices if (one.money.currency, one.interval) == (price.currency, interval)), None)
                if there is not None:
                    raise Refusal("price_there", f"“{plan.name}” costs {there} already. /doorman price change gives it another amount.")
                if len(view.prices) >= MOST_PRICES:
                    raise Refusal("too_many_prices", f"A plan has {MOST_PRICES} prices at the most. Remove one first.")
                row = _row(plan, PriceId(cause), price, interval, floor, self._clock.now())
                session.add(row)
                trail = Trail(self._ids, self._clock.now(), cause, actor)
                record(session, trail, community, "price.added", ("plan", plan.id), after={"price": str(price), "interval": str(interval)})
        return await self._finish(plan, row)

    async def remove_price(
        self, community: CommunityId, name: str, price: Money, interval: Interval, *, actor: str, cause: CauseId
    ) -> PlanView:
        """Sell a plan at one price less; who pays it keeps it. Refusals ``plan_unknown``, ``price_unknown``, ``last_price``."""
        async with self._db.transaction() as session:
            plan = await self._named(session, community, name)
            view = await plans.view(session, plan)
            gone = _on_sale(view, price.currency, interval)
            if len(view.prices) == 1:
                raise Refusal("last_price", f"{gone} is all “{plan.name}” can be had for. Add another price first, or archive the plan.")
            row = await session.get_one(PriceRow, gone.id)
            row.active = False
            session.add(row)
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            record(session, trail, community, "price.removed", ("plan", plan.id), before={"price": str(gone)})
            await session.flush()
            return await plans.view(session, plan)

    async def change_price(
        self, community: CommunityId, name: str, price: Money, interval: Interval, *, notice: timedelta | None, actor: str, cause: CauseId
    ) -> PriceChanged:
        """Sell at another amount from now on. Those who pay the old one keep it, or with ``notice`` are told, and moved after it.

        Refusals ``plan_unknown``, ``price_unknown``, ``same_price``, ``bad_notice``, those of money.
        """
        check_chargeable(price)
        if notice is not None and not SHORTEST_NOTICE <= notice.days <= LONGEST_NOTICE:
            raise Refusal("bad_notice", f"Give your members {SHORTEST_NOTICE} to {LONGEST_NOTICE} days' notice of another price.")
        async with self._db.transaction() as session:
            plan = await self._named(session, community, name)
            new = await session.get(PriceRow, PriceId(cause))
            if new is None:
                old = _on_sale(await plans.view(session, plan), price.currency, interval)
                new = await self._replace(session, plan, old, price, actor, cause)
            before = await session.get_one(PriceRow, new.parent_id or new.id)
        view, shown = await self._finish(plan, new)
        async with self._db.transaction() as session:
            payers = await price_moves.payers_of(session, community, before.stripe_price_id or "")
            if notice is not None:
                trail = Trail(self._ids, self._clock.now(), cause, actor)
                for payer in payers:
                    await self._tell(session, plan, payer, before, new, notice, trail)
            moved = len(payers) if notice is not None else 0
            return PriceChanged(view, shown, moved, len(payers) - moved)

    async def _replace(self, session: Session, plan: PlanRow, old: PriceView, price: Money, actor: str, cause: CauseId) -> PriceRow:
        if old.money == price:
            raise Refusal("same_price", f"“{plan.name}” costs {old} already. Nothing was changed.")
        trail = Trail(self._ids, self._clock.now(), cause, actor)
        gone = await session.get_one(PriceRow, old.id)
        gone.active = False
        session.add(gone)
        await session.flush()
        row = _row(plan, PriceId(cause), price, old.interval, None, trail.at)
        row.parent_id, row.created_at = gone.id, gone.created_at  # it stands where the old one stood
        session.add(row)
        record(session, trail, plan.community_id, "price.changed", ("plan", plan.id), before={"price": str(old)},
               after={"price": f"{price} {old.interval}"})  # fmt: skip
        return row

    async def _tell(
        self, session: Session, plan: PlanRow, row: SubscriptionRow, before: PriceRow, new: PriceRow, notice: timedelta, trail: Trail
    ) -> None:
        due = trail.at + notice
        move = PriceMoveRow(
            id=trail.ids.new(), community_id=plan.community_id, subscription_id=row.id, price_id=new.id, due_at=due, cause_id=trail.cause
        )
        if not await price_moves.add(session, move):
            return
        facts = {"plan": plan.name, "before": str(before.money), "after": str(new.money), "interval": str(new.interval_of(plan.interval)),
                 "from": max(due, row.period_end).isoformat()}  # fmt: skip
        told = Notice(NoticeKind.PRICE_CHANGE, facts)
        await add_notice(session, trail, plan.community_id, told, member=row.member_id, dedupe=f"price_change:{row.id}:{new.id}")
        record(session, trail, plan.community_id, "subscription.price_change_told", ("subscription", row.id), member=row.member_id,
               after=facts)  # fmt: skip

    async def _finish(self, plan: PlanRow, row: PriceRow) -> tuple[PlanView, PriceView]:
        await pricing.at_processor(self._db, await self._gateways.of(plan.stripe_account_id), row)
        async with self._db.reading() as session:
            view = await plans.view(session, await session.get_one(PlanRow, plan.id))
        return view, plans.price_view(row, plan.interval)

    async def _named(self, session: Session, community: CommunityId, name: str) -> PlanRow:
        plan = await plans.by_name(session, community, name)
        if plan is None:
            raise Refusal("plan_unknown", f"There is no plan “{name[:60]}” here. /doorman plan list shows them all.")
        if plan.status != PlanStatus.ACTIVE:
            raise Refusal("plan_broken", f"“{plan.name}” is still being made. Run /doorman plan create with the same name once more.")
        return plan


def _row(plan: PlanRow, price_id: PriceId, price: Money, interval: Interval, floor: Money | None, now: datetime) -> PriceRow:
    return PriceRow(
        id=price_id, community_id=plan.community_id, plan_id=plan.id, stripe_account_id=plan.stripe_account_id, amount=price.minor,
        currency=price.currency, interval_unit=interval.unit, interval_count=interval.count, minimum=floor.minor if floor else None,
        created_at=now,
    )  # fmt: skip


def _on_sale(view: PlanView, currency: str, interval: Interval) -> PriceView:
    found = next((one for one in view.prices if (one.money.currency, one.interval) == (currency, interval)), None)
    if found is None:
        costs = "; ".join(str(one) for one in view.prices)
        raise Refusal("price_unknown", f"“{view.name}” is not sold {interval} in {currency}. It costs: {costs}.")
    return found


def _check(price: Money, floor: Money | None) -> None:
    check_chargeable(price)
    if floor is None:
        return
    check_chargeable(floor)
    if floor.currency != price.currency or floor > price:
        raise Refusal("bad_floor", f"The least must be in {price.currency} and no more than the suggested {price}.")


def _terms(plan: PlanRow) -> dict[str, object]:
    return {"seats": plan.seats, "trial_days": plan.trial_days, "trial_card": plan.trial_card, "approval": plan.approval}
