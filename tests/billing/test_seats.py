"""Seats: never more of them sold than there are, however many buy at once; one that becomes free goes to the next in line for a day."""

import asyncio
import os
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlmodel import col, select

from billing.checkout import Checkouts
from billing.stock import take
from billing.waitlist import Waitlist
from core.errors import Refusal
from core.ids import CauseId, CommunityId, EntitlementId, Ids, InviteId, MemberId, OrderId, PlanId, PlatformUserId, PriceId, ResourceId
from core.payments import IntervalUnit
from core.people import Identity
from core.platform import ResourceKind
from membership.community import Communities
from sandbox.clock import VirtualClock
from storage import accounts, entitlements, plans, stock, stripe_accounts
from storage.accounts import AccountRow
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.invites import InviteRow
from storage.orders import OrderRow, OrderStatus
from storage.outbox import OutboxRow
from storage.plan_resources import PlanResourceRow
from storage.plans import PlanRow, PlanStatus, PlanView
from storage.prices import PriceRow
from storage.resources import ResourceRow
from storage.stripe_accounts import ENVIRONMENT
from storage.waitlist_entries import WaitlistEntryRow, WaitlistState
from tests.billing.market import DEN
from tests.billing.till import Till

SEATS, BUYERS = 10, 100
REPETITIONS = int(os.environ.get("SEAT_ROUNDS", "25"))  # noqa: TID251 - how long to search is for whoever starts the search
"""``make seats`` plays a thousand."""


def person(number: int) -> Identity:
    return Identity(DEN.platform, "", PlatformUserId(f"p{number}"), f"P{number}")


class Hall:
    """A community that sells plans with seats."""

    def __init__(self, db: Database, clock: VirtualClock, ids: Ids) -> None:
        self.db, self.clock, self.ids, self.till = db, clock, ids, Till()
        self.checkouts = Checkouts(db=db, clock=clock, ids=ids, gateways=self.till, public_url="http://127.0.0.1:1")
        self.waitlist = Waitlist(db=db, clock=clock, ids=ids)
        self.community = CommunityId("")

    async def found(self) -> None:
        async with self.db.transaction() as session:
            await stripe_accounts.ensure_environment(session, self.clock.now())
        communities = Communities(db=self.db, clock=self.clock, ids=self.ids)
        await communities.space_added(DEN, "The hall", PlatformUserId("1"), cause=CauseId("birth"))
        home = await communities.of_space(DEN)
        self.community = home.community_id
        async with self.db.transaction() as session:
            if await session.get(ResourceRow, ResourceId("gold")) is not None:
                return
            session.add(ResourceRow(
                id=ResourceId("gold"), community_id=self.community, space_id=home.space_id, kind=ResourceKind.ROLE, external_id="9",
                name="Gold",
            ))  # fmt: skip

    async def plan(self, name: str = "Gold", seats: int | None = SEATS) -> str:
        """Put a plan on sale, and return the code of its link."""
        plan, now = PlanId(name), self.clock.now()
        async with self.db.transaction() as session:
            session.add(PlanRow(
                id=plan, community_id=self.community, name=name, name_key=name.casefold(), interval_unit=IntervalUnit.MONTH, seats=seats,
                status=PlanStatus.ACTIVE, stripe_account_id=ENVIRONMENT, stripe_product_id=f"prod_{name}", created_at=now,
            ))  # fmt: skip
            await session.flush()
            session.add(PlanResourceRow(plan_id=plan, resource_id=ResourceId("gold"), community_id=self.community))
            session.add(PriceRow(
                id=PriceId(f"price-{name}"), community_id=self.community, plan_id=plan, stripe_account_id=ENVIRONMENT,
                stripe_price_id=f"price_{name}", amount=999, currency="USD", interval_unit=IntervalUnit.MONTH, interval_count=1,
            ))  # fmt: skip
            session.add(InviteRow(
                id=InviteId(name), community_id=self.community, plan_id=plan, code=name, created_by=PlatformUserId("1"), created_at=now
            ))  # fmt: skip
        return name

    async def tries(self, code: str, who: Identity) -> str:
        """Let somebody try to buy; returns the order's id, or why not."""
        try:
            return (await self.checkouts.start(code, who, cause=CauseId(self.ids.new()))).order_id
        except Refusal as refusal:
            return refusal.code

    async def seats(self, plan: PlanView, account: AccountRow) -> bool:
        """Take a seat for somebody as a checkout does, and nothing else; returns whether there was one."""
        try:
            async with self.db.transaction() as session:
                await take(session, plan, MemberId(account.member_id))
                session.add(OrderRow(
                    id=OrderId(self.ids.new()), community_id=self.community, member_id=account.member_id, account_id=account.id,
                    plan_id=plan.id, price_id=plan.price_id, stripe_account_id=ENVIRONMENT, created_at=self.clock.now(),
                    expires_at=self.clock.now(),
                ))  # fmt: skip
        except Refusal:
            return False
        return True

    async def taken(self, plan: str = "Gold") -> int:
        async with self.db.reading() as session:
            return await stock.taken(session, PlanId(plan))

    async def pays(self, order: str) -> None:
        """Have what an order bought be had."""
        async with self.db.transaction() as session:
            row = await session.get_one(OrderRow, OrderId(order))
            row.status = OrderStatus.PAID
            session.add_all([row, EntitlementRow(
                id=EntitlementId(order), community_id=row.community_id, member_id=row.member_id, plan_id=row.plan_id,
                source_kind=SourceKind.PASS, source_id=order, starts_at=self.clock.now(), cause_id=CauseId("paid"),
            )])  # fmt: skip

    async def ends(self, **which: str) -> None:
        """End what an order bought (``order``), or let it expire (``expired``)."""
        async with self.db.transaction() as session:
            if "order" in which:
                held = await entitlements.by_source(session, SourceKind.PASS, which["order"])
                assert held is not None
                held.state = EntitlementState.ENDED
                session.add(held)
            else:
                await session.execute(update(OrderRow).where(col(OrderRow.id) == which["expired"]).values(status=OrderStatus.EXPIRED))

    async def entries(self) -> dict[MemberId, WaitlistEntryRow]:
        async with self.db.reading() as session:
            return {row.member_id: row for row in (await session.exec(select(WaitlistEntryRow))).all()}

    async def member(self, who: Identity) -> MemberId:
        async with self.db.reading() as session:
            found = await accounts.find(session, self.community, who)
        assert found is not None
        return MemberId(found.member_id)


@pytest.fixture
async def hall(database: Database, clock: VirtualClock, ids: Ids) -> Hall:
    opened = Hall(database, clock, ids)
    await opened.found()
    return opened


async def rush(hall: Hall, name: str, buyers: int, seats: int) -> None:
    code = await hall.plan(name, seats)
    outcomes = await asyncio.gather(*(hall.tries(code, person(number)) for number in range(buyers)))
    assert outcomes.count("sold_out") == buyers - seats
    assert await hall.taken(name) == seats


async def test_of_many_who_buy_at_once_no_more_get_a_seat_than_there_are(hall: Hall) -> None:
    await rush(hall, "First", 25, 4)
    await rush(hall, "Second", 25, 4)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_hundred_come_through_the_door_at_once_and_ten_get_a_seat(hall: Hall) -> None:
    for number in range(3):
        await rush(hall, f"Plan {number}", BUYERS, SEATS)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_a_hundred_want_ten_seats_at_once_again_and_again_and_never_eleven_get_one(hall: Hall) -> None:
    await hall.plan()
    async with hall.db.transaction() as session:
        plan = await plans.view(session, await session.get_one(PlanRow, PlanId("Gold")))
        people = [await accounts.ensure(session, hall.community, person(one), hall.ids, hall.clock.now()) for one in range(BUYERS)]
    for _ in range(REPETITIONS):
        outcomes = await asyncio.gather(*(hall.seats(plan, one) for one in people))
        assert (outcomes.count(True), await hall.taken()) == (SEATS, SEATS)
        async with hall.db.transaction() as session:
            await session.execute(delete(OrderRow))


async def test_the_same_person_twice_takes_one_seat(hall: Hall) -> None:
    code = await hall.plan(seats=1)
    first, second = await asyncio.gather(hall.tries(code, person(1)), hall.tries(code, person(1)))
    assert first == second
    assert await hall.tries(code, person(2)) == "sold_out"


async def test_a_checkout_that_runs_out_gives_its_seat_back(hall: Hall) -> None:
    code = await hall.plan(seats=1)
    order = await hall.tries(code, person(1))
    await hall.ends(expired=order)
    assert await hall.tries(code, person(2)) != "sold_out"


async def test_who_has_it_keeps_the_seat_until_it_ends(hall: Hall) -> None:
    code = await hall.plan(seats=1)
    order = await hall.tries(code, person(1))
    await hall.pays(order)
    assert await hall.tries(code, person(2)) == "sold_out"
    await hall.ends(order=order)
    assert await hall.tries(code, person(2)) != "sold_out"


async def test_a_refused_buyer_is_told_how_many_wait_and_what_to_do(hall: Hall) -> None:
    code = await hall.plan(seats=1)
    await hall.tries(code, person(1))
    await hall.waitlist.join_through(code, person(2), cause=CauseId("2"))
    with pytest.raises(Refusal) as refused:
        await hall.checkouts.start(code, person(3), cause=CauseId("3"))
    assert refused.value.message == (
        "“Gold” is sold out: all 1 seats are taken. 1 waits already. Nothing was charged. "
        "Put yourself in line, and a seat is kept for you for a day when it is your turn."
    )
    with pytest.raises(Refusal) as waits:
        await hall.checkouts.start(code, person(2), cause=CauseId("4"))
    assert "You are number 1 in line" in waits.value.message


async def test_a_free_seat_is_kept_for_the_next_in_line_for_a_day_and_then_for_the_one_after(hall: Hall) -> None:
    code = await hall.plan(seats=1)
    order = await hall.tries(code, person(1))
    await hall.pays(order)
    for number in (2, 3):
        place = await hall.waitlist.join_through(code, person(number), cause=CauseId(f"w{number}"))
        assert place.place == number - 1
        hall.clock.advance(timedelta(minutes=1))
    assert await hall.waitlist.run() == 0
    await hall.ends(order=order)
    assert await hall.tries(code, person(4)) == "sold_out", "who waits comes first, even before the offer is made"
    assert await hall.waitlist.run() == 1
    assert await hall.waitlist.run() == 0
    assert await hall.tries(code, person(3)) == "sold_out"
    hall.clock.advance(timedelta(hours=24))
    assert await hall.waitlist.run() == 1
    states = {member: entry.state for member, entry in (await hall.entries()).items()}
    assert states == {await hall.member(person(2)): WaitlistState.LAPSED, await hall.member(person(3)): WaitlistState.OFFERED}
    assert await hall.tries(code, person(2)) == "sold_out"
    assert await hall.tries(code, person(3)) != "sold_out"
    assert await hall.taken() == 1


async def test_whoever_is_offered_a_seat_is_told_once(hall: Hall) -> None:
    code = await hall.plan(seats=1)
    order = await hall.tries(code, person(1))
    await hall.waitlist.join_through(code, person(2), cause=CauseId("w"))
    await hall.ends(expired=order)
    await hall.waitlist.run()
    await hall.waitlist.run()
    async with hall.db.reading() as session:
        told = [row for row in (await session.exec(select(OutboxRow))).all() if row.payload.get("kind") == "seat_free"]
    assert [(row.subject, row.payload["facts"]["plan"]) for row in told] == [(await hall.member(person(2)), "Gold")]


async def test_nobody_gets_in_line_where_a_seat_is_free_or_theirs(hall: Hall) -> None:
    code = await hall.plan(seats=2)
    with pytest.raises(Refusal, match="has seats free"):
        await hall.waitlist.join_through(code, person(1), cause=CauseId("w"))
    await hall.pays(await hall.tries(code, person(1)))
    with pytest.raises(Refusal, match="You have “Gold” already"):
        await hall.waitlist.join_through(code, person(1), cause=CauseId("v"))


async def test_who_gets_out_of_the_line_is_offered_nothing(hall: Hall) -> None:
    code = await hall.plan(seats=1)
    order = await hall.tries(code, person(1))
    await hall.waitlist.join_through(code, person(2), cause=CauseId("w"))
    await hall.waitlist.leave(hall.community, "Gold", person(2), cause=CauseId("out"))
    await hall.ends(expired=order)
    assert await hall.waitlist.run() == 0


async def test_more_seats_are_offered_to_the_line_at_once(hall: Hall) -> None:
    code = await hall.plan(seats=1)
    await hall.tries(code, person(1))
    for number in (2, 3, 4):
        await hall.waitlist.join_through(code, person(number), cause=CauseId(f"w{number}"))
    async with hall.db.transaction() as session:
        row = await session.get_one(PlanRow, PlanId("Gold"))
        row.seats = 3
        session.add(row)
    assert await hall.waitlist.run() == 2
    async with hall.db.reading() as session:
        view = await plans.view(session, await session.get_one(PlanRow, PlanId("Gold")))
    assert (view.seats, view.seats_left) == (3, 0)
