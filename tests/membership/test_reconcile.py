import pytest

from core.dispatch import Lane
from core.ids import Ids
from sandbox.clock import VirtualClock
from storage.accounts import AccountRow
from storage.database import Database
from storage.grants import GrantStatus
from tests.membership.house import LANE, House
from tests.membership.town import everything


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


async def test_of_two_reasons_for_one_role_the_end_of_one_keeps_it(house: House) -> None:
    who = await house.settler()
    gold, silver = await house.sell(who), await house.sell(who, house.silver)
    await house.drain()
    await house.end(who, gold)
    await house.drain()
    assert house.held(who) == {"member"}
    assert [call.subject for call in house.adapter.changes if call.verb == "revoke"] == ["vip"]
    await house.end(who, silver)
    await house.drain()
    assert house.held(who) == set()


async def test_reconciling_twice_changes_nothing(house: House) -> None:
    who = await house.settler()
    await house.sell(who)
    before = await everything(house.db)
    assert await house.reconcile(who) == 0
    assert await everything(house.db) == before


async def test_a_change_wakes_the_lane_that_carries_it_out_and_no_change_none(house: House) -> None:
    who = await house.settler()
    woken: list[Lane] = []
    house.db.on_wake(woken.append)
    await house.passes([who], None)
    await house.reconcile(who)
    assert woken == [LANE]
    await house.reconcile(who)
    assert woken == [LANE]


async def test_what_is_wanted_again_before_it_was_taken_is_neither_taken_nor_given_anew(house: House) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.end(who, source)
    await house.sell(who, house.silver)
    await house.drain()
    row = await house.row(who)
    assert (row.wanted, row.status) == (True, GrantStatus.DONE)
    assert house.held(who) == {"member"}
    assert "revoke" not in {call.verb for call in house.adapter.changes}


async def test_an_account_that_is_not_used_any_more_gives_up_what_it_held(house: House) -> None:
    who = await house.settler()
    await house.sell(who)
    await house.drain()
    async with house.db.transaction() as session:
        (await session.get_one(AccountRow, who)).active = False
    assert await house.reconcile(who) == 2
    await house.drain()
    assert house.held(who) == set()


async def test_what_was_never_ours_to_give_is_not_looked_at(house: House) -> None:
    who = await house.settler()
    house.gives(who, "vip")
    assert await house.reconcile(who) == 0
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.end(who, source)
    await house.drain()
    assert house.held(who) == {"vip"}
