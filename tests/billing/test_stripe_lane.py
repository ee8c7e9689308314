"""A Stripe account's lane when things go wrong: what is tried again, what is given up, and who hears of it."""

import asyncio
import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlmodel import select

from billing.catchup import CatchUp
from billing.dispute import Disputes
from billing.gift import Gifts
from billing.inbox import StripeInbox
from billing.order import Orders
from billing.refund import Payments
from billing.subscription import Also, Subscriptions
from billing.tip import Tips
from core.backoff import LONGEST, MAX_ATTEMPTS
from core.dispatch import Lane as LaneName
from core.dispatch import stripe_lane
from core.errors import KeyRefused, PermanentError, RateLimited, TransientError
from core.ids import CauseId, Ids, StripeAccountId
from sandbox.clock import VirtualClock
from storage import lanes, work
from storage.database import Session
from storage.inbox import InboxKind, InboxRow, WorkStatus, add
from storage.stripe_accounts import ENVIRONMENT
from tests.billing.processor import Processor
from tests.membership.town import Town

LANE = stripe_lane(ENVIRONMENT)
DAY = timedelta(days=1)


class Lane:
    """The lane with one event on it, about a subscription of the town."""

    def __init__(self, town: Town, clock: VirtualClock, ids: Ids, processor: Processor) -> None:
        self.db, self.clock, self.processor = town.db, clock, processor
        subscriptions = Subscriptions(db=town.db, clock=clock, ids=ids, gateways=processor, grace=timedelta(days=7))
        orders = Orders(db=town.db, clock=clock, ids=ids, gateways=processor, subscriptions=subscriptions)
        self._inbox = StripeInbox(
            db=town.db, clock=clock, gateways=processor, subscriptions=subscriptions, orders=orders,
            tips=cast("Tips", None), gifts=cast("Gifts", None), payments=cast("Payments", None),
            disputes=cast("Disputes", None), rng=random.Random(1),  # noqa: S311 - only jitter
        )  # fmt: skip

    async def comes_in(self, event: str, about: str, kind: str = "customer.subscription.updated") -> None:
        """Have an event delivered."""
        now = self.clock.now()
        async with self.db.transaction() as session:
            await add(session, [InboxRow(
                id=f"row-{event}", kind=InboxKind.STRIPE, source="stripe:env", event_id=event, type=kind, object_id=about, lane=LANE,
                payload=b"{}", received_at=now, due_at=now)])  # fmt: skip

    async def works(self, period: timedelta) -> None:
        """Work for a while: whatever falls due in it is tried."""
        end = self.clock.now() + period
        epoch = await lanes.take(self.db, LANE, "test", self.clock.now())
        while True:
            due = await self._inbox.drain(LANE, epoch)
            if due is None or due > end:
                self.clock.advance(end - self.clock.now())
                return
            self.clock.advance(max(due - self.clock.now(), timedelta(0)))

    async def row(self) -> InboxRow:
        """Return the one row."""
        async with self.db.reading() as session:
            return (await session.exec(select(InboxRow))).one()


@pytest.fixture
async def name(town: Town, clock: VirtualClock, processor: Processor) -> str:
    """A subscription that the processor knows better than we do."""
    [name] = await town.subscribe([await town.member()], clock.now() + 10 * DAY)
    processor.says(name, "canceled", clock.now())
    return name


@pytest.fixture
def lane(town: Town, clock: VirtualClock, ids: Ids, processor: Processor) -> Lane:
    return Lane(town, clock, ids, processor)


def errors(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno >= logging.ERROR]


async def test_an_outage_of_two_days_loses_no_event(lane: Lane, name: str, processor: Processor) -> None:
    processor.silent[name] = TransientError("Stripe is down")
    await lane.comes_in("evt_1", name)
    await lane.works(2 * DAY)
    waiting = await lane.row()
    assert (waiting.status, waiting.error) == (WorkStatus.PENDING, "TransientError: Stripe is down")
    assert waiting.due_at - lane.clock.now() <= LONGEST
    processor.silent.clear()
    await lane.works(LONGEST)
    assert (await lane.row()).status == WorkStatus.DONE


async def test_a_wait_we_are_told_of_does_not_count(lane: Lane, name: str, processor: Processor) -> None:
    processor.silent[name] = RateLimited("slowly", retry_after=60)
    await lane.comes_in("evt_1", name)
    await lane.works(timedelta(minutes=2 * MAX_ATTEMPTS))
    assert ((await lane.row()).status, (await lane.row()).attempts) == (WorkStatus.PENDING, 0)


async def test_a_bug_is_given_up_after_two_hours_at_least_and_loudly(
    lane: Lane, name: str, processor: Processor, caplog: pytest.LogCaptureFixture
) -> None:
    processor.silent[name] = cast("PermanentError", KeyError("a bug"))
    began = lane.clock.now()
    await lane.comes_in("evt_1", name)
    await lane.works(timedelta(hours=2))
    assert (await lane.row()).status == WorkStatus.PENDING
    await lane.works(timedelta(hours=3))
    row = await lane.row()
    assert (row.status, row.attempts) == (WorkStatus.DEAD, MAX_ATTEMPTS)
    assert row.due_at - began < timedelta(hours=5)
    given_up = [said for said in errors(caplog) if "given up" in said]
    assert len(given_up) == 1
    assert "row-evt_1" in given_up[0]


async def test_a_refused_key_waits_for_somebody_and_is_told_of_once(
    lane: Lane, name: str, processor: Processor, caplog: pytest.LogCaptureFixture
) -> None:
    processor.silent[name] = KeyRefused("the key may not read subscriptions", code="permission")
    await lane.comes_in("evt_1", name)
    await lane.works(timedelta(minutes=10 * MAX_ATTEMPTS))
    row = await lane.row()
    assert (row.status, row.attempts) == (WorkStatus.PENDING, 0)
    assert "may not read subscriptions" in row.error
    assert len(errors(caplog)) == 1
    assert "row-evt_1" in errors(caplog)[0]
    processor.silent[name] = KeyRefused("the key has expired", code="api_key_expired")
    await lane.works(timedelta(minutes=10 * MAX_ATTEMPTS))
    assert len(errors(caplog)) == 2
    processor.silent.clear()
    await lane.works(timedelta(minutes=5))
    assert (await lane.row()).status == WorkStatus.DONE


async def test_a_refusal_that_is_not_the_keys_is_given_up_and_seen(
    lane: Lane, name: str, processor: Processor, caplog: pytest.LogCaptureFixture
) -> None:
    processor.silent[name] = PermanentError("no such field", code="parameter_unknown")
    await lane.comes_in("evt_1", name)
    await lane.works(DAY)
    row = await lane.row()
    assert (row.status, row.error) == (WorkStatus.DEAD, "PermanentError: no such field")
    assert [said for said in errors(caplog) if "row-evt_1" in said and "given up" in said]


@pytest.mark.parametrize("kind", ["customer.subscription.updated", "invoice.paid"])
async def test_what_was_given_up_is_news_to_catch_up(lane: Lane, name: str, processor: Processor, catch_up: CatchUp, kind: str) -> None:
    about = name if kind.startswith("customer") else "in_1"
    await lane.comes_in("evt_1", about, kind)
    async with lane.db.transaction() as session:
        row = (await session.exec(select(InboxRow))).one()
        row.status, row.attempts, row.error = WorkStatus.DEAD, MAX_ATTEMPTS, "KeyError: a bug"
        session.add(row)
    processor.event("evt_1", kind, about, lane.clock.now())
    lane.clock.advance(timedelta(minutes=30))
    await catch_up.run()
    row = await lane.row()
    assert row.status == (WorkStatus.DONE if about == name else WorkStatus.PENDING)
    assert row.due_at <= lane.clock.now()


async def test_what_is_of_another_account_stays_set_aside(lane: Lane, processor: Processor, catch_up: CatchUp) -> None:
    await lane.comes_in("evt_1", "in_1", "invoice.paid")
    async with lane.db.transaction() as session:
        row = (await session.exec(select(InboxRow))).one()
        row.status, row.error = WorkStatus.DEAD, "of another account: acct_9"
        session.add(row)
    processor.event("evt_1", "invoice.paid", "in_1", lane.clock.now())
    await catch_up.run()
    assert ((await lane.row()).status, (await lane.row()).attempts) == (WorkStatus.DEAD, 0)


class Lingering(Subscriptions):
    """What was committed is known to be, and the job goes on until it is let go."""

    def __init__(self, **parts: Any) -> None:  # noqa: ANN401 - as Subscriptions has them
        super().__init__(**parts)
        self.committed, self.go = asyncio.Event(), asyncio.Event()

    async def refresh(
        self, account: StripeAccountId, external_id: str, *, cause: CauseId, since: datetime | None = None, also: Also | None = None
    ) -> None:
        await super().refresh(account, external_id, cause=cause, since=since, also=also)
        self.committed.set()
        await self.go.wait()


class Bookkeeper:
    """Notes which invoices were looked at."""

    def __init__(self) -> None:
        self.invoices: list[str] = []

    async def invoice(self, _account: StripeAccountId, external_id: str, **_: object) -> None:
        self.invoices.append(external_id)


async def test_what_waits_is_begun_though_a_look_fell_between_the_commit_of_a_job_and_its_end(
    town: Town, clock: VirtualClock, ids: Ids, processor: Processor, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane, books = Lane(town, clock, ids, processor), Bookkeeper()
    subscriptions = Lingering(db=town.db, clock=clock, ids=ids, gateways=processor, grace=timedelta(days=7))
    inbox = StripeInbox(
        db=town.db, clock=clock, gateways=processor, subscriptions=subscriptions, orders=cast("Orders", None),
        tips=cast("Tips", None), gifts=cast("Gifts", None), payments=cast("Payments", books),
        disputes=cast("Disputes", None), rng=random.Random(1),  # noqa: S311 - only jitter
    )  # fmt: skip
    await lane.comes_in("evt_1", name)
    await lane.comes_in("evt_2", "in_1", "invoice.paid")
    looked, heads = asyncio.Event(), work.heads

    async def seen(session: Session, of: LaneName, now: datetime, limit: int) -> Sequence[work.Head]:
        found = await heads(session, of, now, limit)
        looked.set()
        return found

    epoch = await lanes.take(town.db, LANE, "test", clock.now())
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(inbox.drain(LANE, epoch))
        await subscriptions.committed.wait()
        monkeypatch.setattr(work, "heads", seen)
        town.db.woken(LANE).set()
        await looked.wait()
        subscriptions.go.set()
    assert books.invoices == ["in_1"]
