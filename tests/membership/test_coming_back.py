import pytest

from core.errors import TransientError
from core.ids import Ids
from sandbox.clock import VirtualClock
from storage.database import Database
from tests.membership.house import House


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


async def test_a_role_given_by_hand_to_whoever_came_back_is_not_ours(house: House) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.leaves(who)
    await house.joins(who)
    house.gives(who, "member")
    await house.drain()
    await house.end(who, source)
    await house.drain()
    assert house.held(who) == {"member"}


async def test_a_role_given_by_hand_to_whoever_waited_outside_and_came_unseen_is_not_ours(house: House) -> None:
    who = await house.settler()
    await house.leaves(who, told=False)
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.joins(who, told=False)
    house.gives(who, "member")
    await house.end(who, source)
    await house.drain()
    assert house.held(who) == {"member"}


async def test_news_that_somebody_came_who_never_left_does_not_call_off_what_is_to_be_taken(house: House) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.end(who, source)
    house.adapter.down = TransientError("no network")
    await house.joins(who)
    await house.drain()
    house.adapter.down = None
    house.clock.advance_to((await house.row(who)).due_at)
    await house.drain()
    assert house.held(who) == set()
