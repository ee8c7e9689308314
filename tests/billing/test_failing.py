"""Since when a payment fails: what the patience is counted from."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from billing.subscription import Subscriptions
from core.ids import CauseId, Ids
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState
from storage.stripe_accounts import ENVIRONMENT
from storage.subscriptions import SubscriptionRow
from tests.billing.processor import Processor
from tests.membership.town import Town

DAY = timedelta(days=1)
GRACE = 7 * DAY


async def row(db: Database) -> SubscriptionRow:
    async with db.reading() as session:
        return (await session.exec(select(SubscriptionRow))).one()


async def access(db: Database) -> EntitlementRow:
    async with db.reading() as session:
        return (await session.exec(select(EntitlementRow))).one()


@pytest.fixture
def subscriptions(town: Town, clock: VirtualClock, ids: Ids, processor: Processor) -> Subscriptions:
    return Subscriptions(db=town.db, clock=clock, ids=ids, gateways=processor, grace=GRACE)


async def test_a_failure_in_the_middle_of_a_period_is_counted_from_when_we_see_it(
    town: Town, clock: VirtualClock, processor: Processor, subscriptions: Subscriptions
) -> None:
    [name] = await town.subscribe([await town.member()], clock.now() + 33 * DAY)
    start = clock.now()
    processor.says(name, "active", start + 30 * DAY)
    await subscriptions.refresh(ENVIRONMENT, name, cause=CauseId("1"))
    clock.advance(20 * DAY)
    processor.held[name] = replace(processor.held[name], status="past_due", period_start=start)
    await subscriptions.refresh(ENVIRONMENT, name, cause=CauseId("2"))
    assert (await row(town.db)).past_due_since == clock.now()
    held = await access(town.db)
    assert (held.state, held.expires_at) == (EntitlementState.ACTIVE, clock.now() + GRACE)


async def test_a_failed_renewal_is_counted_from_the_periods_start_however_late_we_hear(
    town: Town, clock: VirtualClock, processor: Processor, subscriptions: Subscriptions
) -> None:
    [name] = await town.subscribe([await town.member()], clock.now() + 4 * DAY)
    end = clock.now() + DAY
    processor.says(name, "active", end)
    await subscriptions.refresh(ENVIRONMENT, name, cause=CauseId("1"))
    clock.advance(3 * DAY)
    processor.says(name, "past_due", end + 30 * DAY)
    processor.held[name] = replace(processor.held[name], period_start=end)
    await subscriptions.refresh(ENVIRONMENT, name, cause=CauseId("2"))
    assert (await row(town.db)).past_due_since == end
    clock.advance(DAY)
    await subscriptions.refresh(ENVIRONMENT, name, cause=CauseId("3"))
    assert (await row(town.db)).past_due_since == end


async def test_a_failing_one_we_first_hear_of_is_counted_from_then(
    town: Town, clock: VirtualClock, processor: Processor, subscriptions: Subscriptions
) -> None:
    order = await town.order(await town.member())
    processor.says("sub_new", "past_due", clock.now() + 10 * DAY, reference=order)
    processor.held["sub_new"] = replace(processor.held["sub_new"], period_start=clock.now() - 20 * DAY)
    await subscriptions.refresh(ENVIRONMENT, "sub_new", cause=CauseId("1"))
    assert (await row(town.db)).past_due_since == clock.now()
