import pytest
from sqlmodel import col, select

from core.errors import Remedy
from core.ids import Ids, PlatformUserId
from core.platform import Space
from sandbox.clock import VirtualClock
from storage.audit import AuditRow
from storage.database import Database
from storage.grants import Actual, GrantStatus
from tests.membership.house import CAUSE, House
from tests.membership.town import PLATFORM, everything


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


async def test_what_is_paid_for_comes_back_with_whoever_comes_back(house: House) -> None:
    who = await house.settler()
    await house.sell(who)
    await house.drain()
    await house.leaves(who)
    for row in await house.rows():
        assert (row.status, row.remedy, row.actual, row.error_code) == (GrantStatus.BLOCKED, Remedy.MEMBER, Actual.UNKNOWN, "left")
    await house.drain()
    assert house.held(who) is None
    await house.joins(who)
    await house.drain()
    assert house.held(who) == {"member", "vip"}


async def test_whoever_leaves_takes_what_was_to_be_taken_with_them(house: House) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    house.thing("member").reachable = False
    await house.end(who, source)
    await house.drain()
    await house.leaves(who)
    row = await house.row(who)
    assert (row.actual, row.status, row.remedy) == (Actual.REVOKED, GrantStatus.DONE, None)


async def test_news_that_somebody_came_who_never_left_gives_nothing_twice_and_keeps_what_we_gave_ours(house: House) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.joins(who)
    await house.drain()
    assert house.held(who) == {"member"}
    await house.end(who, source)
    await house.drain()
    assert house.held(who) == set()


async def test_news_that_somebody_came_who_never_left_does_not_make_a_gift_ours(house: House) -> None:
    who = await house.settler()
    house.gives(who, "member")
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.joins(who)
    await house.drain()
    await house.end(who, source)
    await house.drain()
    assert house.held(who) == {"member"}
    assert house.adapter.changes == []


async def test_news_older_than_what_the_platform_has_said_since_changes_nothing(house: House) -> None:
    who = await house.settler()
    await house.sell(who, house.silver)
    await house.drain()
    before = await everything(house.db)
    at = house.now.replace(hour=0)
    await house.comings.left(house.where, PlatformUserId(who), at=at, cause=CAUSE)
    await house.comings.joined(house.where, PlatformUserId(who), at=at, cause=CAUSE)
    assert await everything(house.db) == before


async def test_strangers_and_strange_spaces_change_nothing(house: House) -> None:
    await house.sell(await house.settler())
    before = await everything(house.db)
    for space, user in ((house.where, "stranger"), (Space(PLATFORM, "", "elsewhere"), "stranger")):
        for news in (house.comings.joined, house.comings.left):
            await news(space, PlatformUserId(user), at=house.now, cause=CAUSE)
        await house.comings.present(space, PlatformUserId(user), cause=CAUSE)
    assert await everything(house.db) == before


async def test_somebody_who_acts_in_the_space_is_given_what_waited_for_them(house: House) -> None:
    who = await house.settler()
    await house.leaves(who, told=False)
    await house.sell(who)
    await house.drain()
    await house.joins(who, told=False)
    await house.comings.present(house.where, PlatformUserId(who), cause=CAUSE)
    await house.drain()
    assert house.held(who) == {"member", "vip"}
    before = await everything(house.db)
    await house.comings.present(house.where, PlatformUserId(who), cause=CAUSE)
    assert await everything(house.db) == before, "nothing waits for them any more"


async def test_each_coming_and_going_says_why_it_changed_what(house: House) -> None:
    who = await house.settler()
    await house.sell(who, house.silver)
    await house.drain()
    await house.leaves(who)
    await house.joins(who)
    async with house.db.reading() as session:
        query = select(AuditRow).where(col(AuditRow.action).in_(["grant.left", "grant.joined"])).order_by(col(AuditRow.action).desc())
        left, joined = (await session.exec(query)).all()
    inside, gone, back = [
        {"wanted": True, "actual": actual, "status": status}
        for actual, status in (("granted", "done"), ("unknown", "blocked"), ("unknown", "pending"))
    ]
    assert (left.before, left.after) == (inside, gone)
    assert (joined.before, joined.after) == (gone, back)
    assert {left.cause_id, joined.cause_id} == {CAUSE}
