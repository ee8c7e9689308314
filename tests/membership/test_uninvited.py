"""People in a sold channel whom somebody inside brought in: the creator is told of each once, and nobody is taken out."""

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from core.errors import TransientError
from core.events import Notice, NoticeKind
from core.ids import Ids, PlatformUserId
from core.platform import ResourceKind
from membership.uninvited import NAMED, Uninvited
from sandbox.clock import VirtualClock
from storage.audit import AuditRow
from storage.database import Database
from storage.grants import GrantRow, GrantStatus
from storage.outbox import OutboxKind
from storage.resources import ResourceRow
from tests.membership.house import CREATOR, House
from tests.membership.town import PLATFORM


@pytest.fixture
async def house(database: Database, clock: VirtualClock, ids: Ids) -> House:
    """The town's role ``member`` is a channel here."""
    house = House(database, clock, ids)
    await house.build()
    async with database.transaction() as session:
        await session.execute(update(ResourceRow).where(col(ResourceRow.external_id) == "member").values(kind=ResourceKind.CHANNEL))
    return house


@pytest.fixture
def uninvited(house: House) -> Uninvited:
    return Uninvited(db=house.db, clock=house.clock, ids=house.ids, adapters={PLATFORM: house.adapter})


async def found(house: House) -> list[tuple[list[str], int]]:
    """Return whom each notice names, and how many more it counts; in the order of the names, for the notices have none."""
    told = [Notice.from_payload(row.payload) for row in await house.outbox(OutboxKind.NOTICE)]
    return sorted((one.facts["people"], one.facts["more"]) for one in told if one.kind is NoticeKind.UNINVITED)


def brought(house: House, *names: str, role: str = "member") -> None:
    for name in names:
        house.place.members[PlatformUserId(name)] = {role}


async def test_whoever_paid_is_nobody_to_tell_of(house: House, uninvited: Uninvited) -> None:
    who = await house.settler()
    await house.sell(who)
    await house.drain()
    assert house.held(who) == {"member", "vip"}
    await uninvited.run()
    assert await found(house) == []


async def test_whoever_was_brought_in_is_told_of_once_and_stays(house: House, uninvited: Uninvited) -> None:
    brought(house, "zoe", "dan")
    await uninvited.run()
    await uninvited.run()
    assert await found(house) == [(["dan", "zoe"], 0)]
    async with house.db.reading() as session:
        assert [row.action for row in await session.exec(select(AuditRow))] == ["uninvited.found"]
    brought(house, "eve")
    await uninvited.run()
    assert await found(house) == [(["dan", "zoe"], 0), (["eve"], 0)]
    assert house.held("zoe") == {"member"}


async def test_the_notice_names_them_where_they_are(house: House, uninvited: Uninvited) -> None:
    brought(house, "zoe", "dan")
    await uninvited.run()
    await house.tell_everyone()
    [text] = house.mail()
    assert "Somebody is in who has not paid" in text
    assert "@zoe" in text
    assert "member" in text


async def test_whoever_was_taken_out_and_brought_back_is_told_of_again(house: House, uninvited: Uninvited) -> None:
    brought(house, "zoe")
    await uninvited.run()
    del house.place.members[PlatformUserId("zoe")]
    await uninvited.run()
    brought(house, "zoe")
    await uninvited.run()
    assert await found(house) == [(["zoe"], 0), (["zoe"], 0)]


async def test_a_member_who_had_it_before_paying_is_told_of_once_the_membership_has_ended(house: House, uninvited: Uninvited) -> None:
    who = await house.settler()
    source = await house.sell(who)
    await house.drain()
    async with house.db.transaction() as session:
        await session.execute(update(GrantRow).values(found=True))
    await uninvited.run()
    assert await found(house) == []
    await house.end(who, source)
    await house.drain()
    assert "member" in (house.held(who) or ()), "not ours to take"
    await uninvited.run()
    assert await found(house) == [([who], 0)]


async def test_whom_we_are_still_to_take_out_is_no_news(house: House, uninvited: Uninvited) -> None:
    who = await house.settler()
    source = await house.sell(who)
    await house.drain()
    await house.end(who, source)
    async with house.db.transaction() as session:
        await session.execute(update(GrantRow).values(status=GrantStatus.BLOCKED))
    await uninvited.run()
    assert await found(house) == []


async def test_the_creator_is_no_stranger(house: House, uninvited: Uninvited) -> None:
    house.gives(CREATOR, "member")
    await uninvited.run()
    assert await found(house) == []


async def test_what_only_those_who_manage_give_is_not_looked_at(house: House, uninvited: Uninvited) -> None:
    brought(house, "zoe", role="vip")
    await uninvited.run()
    assert await found(house) == []


async def test_a_crowd_is_one_notice_that_names_some_and_counts_the_rest(house: House, uninvited: Uninvited) -> None:
    brought(house, *(f"guest{number:04}" for number in range(1_200)))
    await uninvited.run()
    [(named, more)] = await found(house)
    assert (len(named), more) == (NAMED, 1_200 - NAMED)
    await uninvited.run()
    assert len(await found(house)) == 1


async def test_a_platform_that_gives_no_answer_is_asked_the_next_time(
    house: House, uninvited: Uninvited, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought(house, "zoe")

    def down(_: object) -> None:
        raise TransientError("down")

    with monkeypatch.context() as patched:
        patched.setattr(house.adapter, "holders", down)
        await uninvited.run()
    assert await found(house) == []
    await uninvited.run()
    assert await found(house) == [(["zoe"], 0)]
