"""Which of a plan's prices somebody pays, and the amount where they choose it."""

from core.errors import Refusal
from core.ids import PriceId
from core.money import Money, check_chargeable
from core.payments import Interval, PaymentGateway
from storage import prices
from storage.audit import Trail
from storage.database import Database, Session
from storage.plans import PlanRow, PlanView, PriceView
from storage.prices import PriceRow


def choose(plan: PlanView, price: PriceId | None) -> PriceView:
    """Return the price that was chosen, or the only one. Refusal ``price_unknown`` for one that is not on sale (any more)."""
    if price is None:
        return plan.prices[0]
    found = next((one for one in plan.prices if one.id == price), None)
    if found is None:
        raise Refusal("price_unknown", f"“{plan.name}” is not sold at that price any more. Open your link again to see what it costs now.")
    return found


async def priced(session: Session, plan: PlanView, price: PriceView, amount: Money | None, trail: Trail) -> PriceRow:
    """Return the row of a price, or, where the payer chooses, of the amount they chose: the suggested one when they said nothing.

    Refusals ``below_floor``, ``bad_amount``, ``amount_too_small``, ``amount_too_large``.
    """
    row = await session.get_one(PriceRow, price.id)
    if price.floor is None:
        return row
    chosen = amount or price.money
    if chosen.currency != price.money.currency:
        raise Refusal("bad_amount", f"“{plan.name}” is paid in {price.money.currency} here. Write it like {price.money}.")
    if chosen < price.floor:
        raise Refusal(
            "below_floor", f"{chosen} is less than “{plan.name}” can be had for. The least is {price.floor}; choose that or more."
        )
    check_chargeable(chosen)
    known = await prices.chosen(session, row.id, chosen.minor)
    if known is not None:
        return known
    made = PriceRow(
        id=PriceId(trail.ids.new()), community_id=row.community_id, plan_id=row.plan_id, stripe_account_id=row.stripe_account_id,
        amount=chosen.minor, currency=chosen.currency, active=False, interval_unit=price.interval.unit,
        interval_count=price.interval.count, parent_id=row.id, created_at=trail.at,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    return made


async def at_processor(db: Database, gateway: PaymentGateway, price: PriceRow) -> str:
    """Return the processor's id of a price, having it made where there is none yet."""
    if price.stripe_price_id:
        return price.stripe_price_id
    async with db.reading() as session:
        plan = await session.get_one(PlanRow, price.plan_id)
    marks = {"doorman_plan": plan.id, "doorman_community": plan.community_id}
    interval: Interval = price.interval_of(plan.interval)
    key = f"price:{price.id}:{plan.stripe_product_id}"
    made = await gateway.create_price(plan.stripe_product_id, price.money, interval, marks, key=key)
    async with db.transaction() as session:
        row = await session.get_one(PriceRow, price.id)
        row.stripe_price_id = made
        session.add(row)
    return made
