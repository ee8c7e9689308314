"""Where the platform does not let us take somebody out, the owner is asked to: once, with a deadline, and again when it is late."""

from datetime import timedelta

import pytest
from sqlmodel import select

from core.errors import PermissionMissing
from core.events import Notice, NoticeKind
from core.ids import Ids, MemberId
from membership.owner_task import OwnerTasks, Todo
from membership.sweep import Sweeper
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.grants import GrantStatus
from storage.outbox import OutboxKind
from storage.owner_tasks import DEADLINE, EVERY, OwnerTaskRow
from tests.membership.house import House

FORBIDDEN = PermissionMissing("Only admins may remove people here. Let everyone, under Settings & permissions.", code="restricted_action")
SECOND = timedelta(seconds=1)


@pytest.fixture
async def house(database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(database, clock, ids)
    await house.build()
    return house


@pytest.fixture
def sweeper(house: House, clock: VirtualClock, ids: Ids) -> Sweeper:
    async def nobody(*_: object, **__: object) -> object:
        raise AssertionError("no subscription is due")

    return Sweeper(db=house.db, clock=clock, ids=ids, refetch=nobody)  # type: ignore[arg-type]


async def stuck(house: House) -> MemberId:
    """Somebody whose membership ended and whom we may not take out."""
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    house.adapter.refused[who, "member"] = FORBIDDEN
    await house.end(who, source)
    await house.drain()
    return who


async def asked(house: House) -> list[Notice]:
    rows = await house.outbox(OutboxKind.NOTICE)
    return [notice for row in rows if (notice := Notice.from_payload(row.payload)).kind is NoticeKind.OWNER_TASK]


async def still_open(house: House) -> list[OwnerTaskRow]:
    async with house.db.reading() as session:
        return [row for row in await session.exec(select(OwnerTaskRow)) if row.done_at is None]


async def test_the_owner_is_asked_once_and_told_whom_why_and_by_when(house: House) -> None:
    who = await stuck(house)
    await house.drain()
    [notice] = await asked(house)
    [todo] = await OwnerTasks(db=house.db).listing(house.id, 10)
    assert isinstance(todo, Todo)
    assert str(todo.worth) == "9.99 USD"
    assert (str(todo.user), todo.why, todo.due_at) == (who, str(FORBIDDEN), house.clock.now() + DEADLINE)
    assert notice.facts["why"] == str(FORBIDDEN)
    await house.tell_everyone()
    [said] = [words for words in house.mail() if words.startswith("Something only you can do")]
    assert "Please take" in said
    assert "Only admins may remove people here." in said


async def test_what_is_late_is_said_again_at_the_deadline_and_each_day_after(house: House, sweeper: Sweeper) -> None:
    await stuck(house)
    house.clock.advance(DEADLINE - SECOND)
    await sweeper.run()
    assert len(await asked(house)) == 1
    house.clock.advance(SECOND)
    for _ in range(2):
        await sweeper.run()
    assert [bool(notice.facts["late"]) for notice in await asked(house)] == [False, True]
    house.clock.advance(EVERY)
    await sweeper.run()
    assert len(await asked(house)) == 3


async def test_once_they_are_out_nothing_more_is_said(house: House, sweeper: Sweeper) -> None:
    who = await stuck(house)
    del house.adapter.refused[who, "member"]
    await house.probe()
    await house.drain()
    assert (await house.row(who)).status == GrantStatus.DONE
    house.clock.advance(DEADLINE)
    await sweeper.run()
    assert len(await asked(house)) == 1
    assert not await still_open(house)
    assert not await OwnerTasks(db=house.db).listing(house.id, 10)


async def test_whoever_pays_again_stays_and_nobody_is_asked_any_more(house: House, sweeper: Sweeper) -> None:
    who = await stuck(house)
    await house.sell(who, house.silver)
    house.clock.advance(DEADLINE)
    await sweeper.run()
    assert len(await asked(house)) == 1
    assert not await still_open(house)


async def test_a_probe_that_finds_it_still_forbidden_asks_no_second_time(house: House) -> None:
    await stuck(house)
    await house.probe()
    await house.drain()
    assert len(await asked(house)) == 1
    assert len(await still_open(house)) == 1
