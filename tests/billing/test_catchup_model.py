"""Whatever is lost, doubled or shuffled on the way: after one catch-up and one sweep everybody holds what their reasons open, no more."""

import asyncio
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from billing.catchup import CatchUp
from billing.order import Orders
from billing.subscription import Subscriptions
from core.ids import CauseId, MemberId, RandomIds
from membership.reconcile import Reconciler
from membership.sweep import Sweeper
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.engine import create_engines
from storage.grants import GrantRow
from storage.inbox import WorkStatus
from storage.orders import OrderStatus
from storage.outbox import OutboxKind, OutboxRow
from storage.stripe_accounts import ENVIRONMENT
from storage.vault import Vault
from tests.billing.processor import Processor
from tests.membership.town import Town, everything

PEOPLE = 3
ROLES = {"gold": {"member", "vip"}, "silver": {"member"}}


@dataclass(frozen=True)
class Buy:
    who: int
    plan: str
    days: int
    """0 for a subscription, else a pass."""


@dataclass(frozen=True)
class Cancel:
    which: int


@dataclass(frozen=True)
class Wait:
    days: int


Step = Buy | Cancel | Wait
steps = st.lists(
    st.one_of(
        st.builds(Buy, st.integers(0, PEOPLE - 1), st.sampled_from(sorted(ROLES)), st.sampled_from([0, 0, 1, 5])),
        st.builds(Cancel, st.integers(0, 5)),
        st.builds(Wait, st.integers(1, 4)),
    ),
    max_size=12,
)


class Life:
    """The product's parts over one database, and beside them what is true."""

    def __init__(self, db: Database, seed: int) -> None:
        self.db, self.ids, self.clock, self.chance = db, RandomIds(), VirtualClock(), random.Random(seed)  # noqa: S311 - replayed, not secret
        self.town = Town(db, self.clock.now())
        self.processor = Processor(self.clock.now())
        clock, ids, gateways = self.clock, self.ids, self.processor
        self.subscriptions = Subscriptions(db=db, clock=clock, ids=ids, gateways=gateways, grace=timedelta(days=7))
        orders = Orders(db=db, clock=clock, ids=ids, gateways=gateways, subscriptions=self.subscriptions)
        self.catch_up = CatchUp(db=db, clock=clock, ids=ids, gateways=gateways, subscriptions=self.subscriptions, orders=orders)
        self.sweeper = Sweeper(db=db, clock=clock, ids=ids, refetch=self.catch_up.refetch)
        self.people: list[MemberId] = []
        self.renewing: dict[str, tuple[MemberId, str]] = {}
        self.passes: list[tuple[MemberId, str, datetime]] = []
        self.events = 0

    async def play(self, story: list[Step]) -> None:
        await self.town.build()
        self.people = await self.town.members(PEOPLE)
        for step in story:
            match step:
                case Buy(who, plan, 0):
                    await self.subscribe(self.people[who], plan)
                case Buy(who, plan, days):
                    until = self.clock.now() + timedelta(days=days)
                    await self.town.passes([self.people[who]], until, self.town.gold if plan == "gold" else self.town.silver)
                    self.passes.append((self.people[who], plan, until))
                case Cancel(which) if self.renewing:
                    name = sorted(self.renewing)[which % len(self.renewing)]
                    del self.renewing[name]
                    self.say(name, "canceled", self.processor.held[name].prices[0])
                case Wait(days):
                    self.clock.advance(timedelta(days=days))
                    for name in self.renewing:
                        self.say(name, "active", self.processor.held[name].prices[0])
            await self.deliver()

    async def subscribe(self, who: MemberId, plan: str) -> None:
        order = await self.town.order(who, status=OrderStatus.PAID)
        name = f"sub_{order}"
        self.renewing[name] = (who, plan)
        self.say(name, "active", f"price_town-{plan}", order)

    def say(self, name: str, status: str, price: str, reference: str = "") -> None:
        reference = reference or self.processor.held[name].reference
        self.processor.says(name, status, self.clock.now() + timedelta(days=3), price=price, reference=reference)
        self.events += 1
        self.processor.event(f"evt_{self.events}", "customer.subscription.updated", name, self.clock.now())

    async def deliver(self) -> None:
        """Half of what happened comes through, in any order, some of it more than once: each is a fresh look."""
        arriving = [event.object_id for event in self.processor.happened for _ in range(self.chance.choice([0, 0, 1, 2]))]
        self.chance.shuffle(arriving)
        for name in arriving[:4]:
            await self.subscriptions.refresh(ENVIRONMENT, name, cause=CauseId(self.ids.new()))

    async def mend(self) -> None:
        """One catch-up and one sweep, and the work that follows from them."""
        await self.catch_up.run()
        await self.sweeper.run()
        async with self.db.transaction() as session:
            query = select(OutboxRow).where(col(OutboxRow.kind) == OutboxKind.RECONCILE, col(OutboxRow.status) == WorkStatus.PENDING)
            for row in (await session.exec(query)).all():
                row.status = WorkStatus.DONE
                member = MemberId(row.subject)
                await Reconciler(clock=self.clock, ids=self.ids).reconcile(session, row.community_id, member, cause=row.cause_id)

    def due(self) -> set[tuple[str, str]]:
        now = self.clock.now()
        open_plans = [*self.renewing.values(), *((who, plan) for who, plan, until in self.passes if until > now)]
        held = {(who, role) for who, plan in open_plans for role in ROLES[plan]}
        return {(who, f"{self.town.id}-{role}") for who, role in held}

    async def wanted(self) -> set[tuple[str, str]]:
        async with self.db.reading() as session:
            rows = (await session.exec(select(GrantRow).where(GrantRow.wanted))).all()
        return {(row.member_id, row.resource_id) for row in rows}

    async def first_grants(self) -> None:
        """A pass is stored without its reconcile here, so everybody is looked at once before the story ends."""
        async with self.db.transaction() as session:
            for who in self.people:
                await Reconciler(clock=self.clock, ids=self.ids).reconcile(session, self.town.id, who, cause=CauseId("start"))


async def live(file: Path, story: list[Step], seed: int) -> None:
    db = Database(create_engines(f"sqlite:///{file}", Vault(["a key for the tests, long enough to be one"])))
    try:
        life = Life(db, seed)
        await life.play(story)
        await life.first_grants()
        await life.mend()
        assert await life.wanted() == life.due()
        rows = await everything(db)
        await life.mend()
        again = await everything(db)
        assert [name for name in rows if rows[name] != again[name]] == []
    finally:
        await db.close()


def searching(examples: int) -> Callable[..., None]:
    """Return a test that lives through ``examples`` stories."""

    @given(story=steps, seed=st.integers(0, 1000))
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    def search(sqlite_template: Path, folder_in_memory: Path, story: list[Step], seed: int) -> None:
        file = folder_in_memory / f"{RandomIds().new()}.db"
        shutil.copyfile(sqlite_template, file)
        asyncio.run(live(file, story, seed))

    return search


test_roles_follow_from_what_is_true = searching(6)
test_roles_follow_from_what_is_true_whatever_was_lost = pytest.mark.long(searching(60))
