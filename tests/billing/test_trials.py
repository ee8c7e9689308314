"""Trials: one for a person in a community, whatever accounts, customers and checkouts they come with."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from core.errors import Refusal
from core.ids import CauseId, Ids, PlanId, PlatformUserId
from core.people import Identity
from membership.linking import Linking
from sandbox.clock import VirtualClock
from storage import accounts
from storage.database import Database
from storage.orders import OrderRow, OrderStatus
from storage.plans import PlanRow
from tests.billing.test_seats import Hall, person

ACCOUNTS, PLANS = 4, ("Gold", "Silver")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.integers(0, ACCOUNTS - 1), st.sampled_from(PLANS)),
        st.tuples(st.just("both"), st.integers(0, ACCOUNTS - 1), st.sampled_from(PLANS)),
        st.tuples(st.just("pay"), st.integers(0, 7), st.just("")),
        st.tuples(st.just("expire"), st.integers(0, 7), st.just("")),
        st.tuples(st.just("link"), st.integers(0, ACCOUNTS - 1), st.integers(0, ACCOUNTS - 1)),
    ),
    max_size=14,
)


class Lab(Hall):
    """A community whose plans can be tried, and people who try to try them twice."""

    def __init__(self, db: Database, clock: VirtualClock, ids: Ids) -> None:
        super().__init__(db, clock, ids)
        self.linking = Linking(db=db, clock=clock, ids=ids)
        self.salt = ids.new()
        """People of their own in each history, for all of one run share a database."""
        self.person = {number: number for number in range(ACCOUNTS)}
        """Whose an account is, by the number of the first account of the same person."""

    async def tried(self, code: str, trial_days: int = 7) -> None:
        await self.plan(code, seats=None)
        async with self.db.transaction() as session:
            row = await session.get_one(PlanRow, PlanId(code))
            row.trial_days = trial_days
            session.add(row)

    async def orders(self) -> list[OrderRow]:
        async with self.db.reading() as session:
            found = [await accounts.find(session, self.community, self.who(number)) for number in range(ACCOUNTS)]
            mine = {account.member_id for account in found if account is not None}
            rows = [row for row in (await session.exec(select(OrderRow))).all() if row.member_id in mine]
        return sorted(rows, key=lambda row: (row.created_at, row.id))

    async def becomes(self, order: OrderRow, status: OrderStatus) -> None:
        async with self.db.transaction() as session:
            row = await session.get_one(OrderRow, order.id)
            row.status = status
            session.add(row)

    async def link(self, one: Identity, other: Identity) -> bool:
        """Join two accounts to one person where that is allowed."""
        try:
            await self.linking.link(self.community, one, other, cause=CauseId(self.ids.new()))
        except Refusal:
            return False
        return True

    async def step(self, verb: str, first: int, second: object) -> None:
        self.clock.advance(timedelta(seconds=1))
        match verb:
            case "start":
                await self.tries(str(second), self.who(first))
            case "both":
                await asyncio.gather(*(self.tries(plan, self.who(first)) for plan in PLANS))
            case "link":
                if await self.link(self.who(first), self.who(int(str(second)))):
                    mine, theirs = self.person[first], self.person[int(str(second))]
                    self.person = {number: mine if whose == theirs else whose for number, whose in self.person.items()}
            case _:
                open_ones = [row for row in await self.orders() if row.status == OrderStatus.OPEN]
                if open_ones:
                    paid = OrderStatus.PAID if verb == "pay" else OrderStatus.EXPIRED
                    await self.becomes(open_ones[first % len(open_ones)], paid)

    def who(self, number: int) -> Identity:
        return Identity(person(number).platform, "", PlatformUserId(f"{self.salt}{number}"), f"T{number}")

    async def trials_of_each(self) -> list[int]:
        """Count the trials each person has or is at a checkout for, by the accounts that belong to one person now."""
        counts = dict.fromkeys(self.person.values(), 0)
        members: dict[str, int] = {}
        async with self.db.reading() as session:
            for number, whose in self.person.items():
                found = await accounts.find(session, self.community, self.who(number))
                if found is not None:
                    members[found.member_id] = whose
        for row in await self.orders():
            if row.trial_days and row.status in {OrderStatus.OPEN, OrderStatus.PENDING, OrderStatus.PAID} and row.member_id in members:
                counts[members[row.member_id]] += 1
        return list(counts.values())


@pytest.fixture
async def lab(database: Database, clock: VirtualClock, ids: Ids) -> Lab:
    opened = Lab(database, clock, ids)
    await opened.found()
    for plan in PLANS:
        await opened.tried(plan)
    return opened


async def days(lab: Lab, order: str) -> int:
    return next(row.trial_days for row in await lab.orders() if row.id == order)


async def test_the_first_time_is_a_trial_and_the_second_is_not_of_any_plan(lab: Lab) -> None:
    first = await lab.tries("Gold", lab.who(0))
    assert await days(lab, first) == 7
    await lab.becomes((await lab.orders())[0], OrderStatus.PAID)
    assert await days(lab, await lab.tries("Silver", lab.who(0))) == 0


async def test_a_checkout_that_came_to_nothing_used_no_trial_up(lab: Lab) -> None:
    await lab.tries("Gold", lab.who(0))
    await lab.becomes((await lab.orders())[0], OrderStatus.EXPIRED)
    assert await days(lab, await lab.tries("Gold", lab.who(0))) == 7


async def test_two_checkouts_at_once_are_one_trial(lab: Lab) -> None:
    made = await asyncio.gather(*(lab.tries(plan, lab.who(0)) for plan in PLANS))
    assert sorted([await days(lab, order) for order in made]) == [0, 7]


async def test_an_account_linked_later_brings_no_second_trial(lab: Lab) -> None:
    elsewhere = Identity(person(0).platform, "", PlatformUserId("other"), "Other")
    await lab.tries("Gold", lab.who(0))
    await lab.becomes((await lab.orders())[0], OrderStatus.PAID)
    async with lab.db.transaction() as session:
        account = await accounts.find(session, lab.community, lab.who(0))
        assert account is not None
        await accounts.add(session, lab.community, account.member_id, elsewhere, lab.ids, lab.clock.now(), active=False)
    assert await days(lab, await lab.tries("Silver", elsewhere)) == 0


async def test_a_trial_without_a_card_asks_for_none_and_one_with_a_card_does(lab: Lab) -> None:
    await lab.tries("Gold", lab.who(0))
    async with lab.db.transaction() as session:
        row = await session.get_one(PlanRow, PlanId("Silver"))
        row.trial_card = False
        session.add(row)
    await lab.tries("Silver", lab.who(1))
    await lab.tries("Silver", lab.who(0))
    assert [(request.trial_days, request.card) for request in lab.till.asked] == [(7, True), (7, False), (0, True)]


async def play(lab: Lab, steps: list[tuple[str, int, object]]) -> None:
    for verb, first, second in steps:
        await lab.step(verb, first, second)
        assert max(await lab.trials_of_each()) <= 1


STORIES: list[list[tuple[str, int, object]]] = [
    [("start", 0, "Gold"), ("pay", 0, ""), ("link", 0, 1), ("start", 1, "Silver")],
    [("link", 0, 1), ("both", 1, "Gold"), ("both", 0, "Gold"), ("pay", 0, ""), ("pay", 1, ""), ("both", 1, "Gold")],
    [
        ("both", 2, "Gold"),
        ("expire", 0, ""),
        ("both", 2, "Gold"),
        ("link", 2, 3),
        ("both", 3, "Gold"),
        ("pay", 1, ""),
        ("start", 3, "Gold"),
    ],
]


@pytest.mark.parametrize("steps", STORIES, ids=range(len(STORIES)))
async def test_no_story_gives_one_person_two_trials(lab: Lab, steps: list[tuple[str, int, object]]) -> None:
    await play(lab, steps)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
async def test_no_history_gives_one_person_two_trials(database: Database, ids: Ids, steps: list[tuple[str, int, object]]) -> None:
    lab = Lab(database, VirtualClock(), ids)
    await lab.found()
    async with database.reading() as session:
        new = [plan for plan in PLANS if await session.get(PlanRow, PlanId(plan)) is None]
    for plan in new:
        await lab.tried(plan)
    await play(lab, steps)
