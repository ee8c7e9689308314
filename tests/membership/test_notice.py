import pytest

from core.dispatch import Lane
from core.errors import MemberUnreachable, TransientError
from core.events import Notice, NoticeKind
from core.ids import CauseId, Ids, PlatformUserId
from core.people import Identity
from membership.status import Statuses
from sandbox.clock import VirtualClock
from storage.communities import CommunityRow
from storage.database import Database
from storage.grants import GrantStatus
from storage.inbox import WorkStatus
from storage.outbox import OutboxKind, OutboxRow
from tests.membership.house import ABOVE, CREATOR, House
from tests.membership.town import PLATFORM

HELLO = Notice(NoticeKind.HELLO, {"space": "Town"})
ENDED = Notice(NoticeKind.ENDED, {"plan": "Gold"})


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


def row(house: House, notice: Notice, subject: str = "") -> OutboxRow:
    now = house.clock.now()
    return OutboxRow(
        id=house.ids.new(), community_id=house.id, kind=OutboxKind.NOTICE, lane=Lane("work:00"), subject=subject,
        payload=notice.to_payload(), created_at=now, due_at=now, cause_id=CauseId("why"),
    )  # fmt: skip


async def channel(house: House) -> str:
    made = house.world.channel(house.where)
    async with house.db.transaction() as session:
        community = await session.get_one(CommunityRow, house.id)
        community.notice_space_id, community.notice_channel = house.space, made.external_id
    return made.external_id


async def test_the_creator_is_told_in_the_notice_channel_and_else_directly(house: House) -> None:
    assert await house.notices.send(row(house, HELLO))
    assert len(house.mail()) == 1
    where = await channel(house)
    assert await house.notices.send(row(house, HELLO))
    assert (len(house.mail()), len(house.place.channels[where])) == (1, 1)
    del house.place.channels[where]
    assert await house.notices.send(row(house, HELLO))
    assert len(house.mail()) == 2, "a channel that is gone is no reason to stay silent"


async def test_a_member_is_told_directly_and_never_in_a_channel(house: House) -> None:
    who, where = await house.settler(), await channel(house)
    assert await house.notices.send(row(house, ENDED, who))
    assert [len(house.mail(who)), len(house.mail()), house.place.channels[where]] == [1, 0, []]


async def test_whoever_takes_no_messages_is_not_reached_and_no_answer_means_later(house: House) -> None:
    who = await house.settler()
    house.world.people[PlatformUserId(who)].open = False
    assert not await house.notices.send(row(house, ENDED, who))
    house.world.people[CREATOR].open = False
    assert not await house.notices.send(row(house, HELLO))
    house.adapter.down = TransientError("no network")
    with pytest.raises(TransientError):
        await house.notices.send(row(house, HELLO))


async def test_of_a_failed_payment_its_creator_hears_where_the_member_cannot_be_told(house: House) -> None:
    who, where = await house.settler(), await channel(house)
    failed = Notice(NoticeKind.PAYMENT_FAILED, {"plan": "Gold", "until": house.clock.now().isoformat(), "last": False})
    assert await house.notices.send(row(house, failed, who))
    assert house.place.channels[where] == []
    house.world.people[PlatformUserId(who)].open = False
    assert not await house.notices.send(row(house, failed, who)), "it is still to be shown to them elsewhere"
    (told,) = house.place.channels[where]
    assert "I can't write to them" in told
    assert f"@{who}" in told


async def test_what_could_not_be_said_is_shown_in_status(house: House) -> None:
    who = await house.settler()
    await house.store([row(house, ENDED, who)])
    house.adapter.down = MemberUnreachable("closed")
    await house.tell_everyone()
    [kept] = await house.outbox(OutboxKind.NOTICE)
    assert (kept.status, kept.undelivered) == (WorkStatus.DONE, True)
    status = await Statuses(db=house.db, clock=house.clock).of_member(house.id, Identity(PLATFORM, "", PlatformUserId(who), who))
    assert len(status.notices) == 1
    assert "Gold" in status.notices[0]


@pytest.mark.parametrize(
    ("what", "note"),
    [
        ("works", ""),
        ("down", "on its way, and we keep trying"),
        ("above", "owner, who has been told"),
        ("outside", "waits for you to join Town"),
    ],
)
async def test_status_says_what_is_on_and_what_each_waits_for(house: House, what: str, note: str) -> None:
    who = await house.settler()
    match what:
        case "down":
            house.adapter.down = TransientError("no network")
        case "above":
            house.adapter.refused[who, "member"] = ABOVE
        case "outside":
            await house.leaves(who, told=False)
    await house.sell(who, house.silver)
    await house.drain()
    status = await Statuses(db=house.db, clock=house.clock).of_member(house.id, Identity(PLATFORM, "", PlatformUserId(who), who))
    [shown] = status.plans[0].resources
    assert (status.plans[0].state, shown.name, shown.on) == ("for life", "member", what == "works")
    assert note in shown.note
    assert ((await house.row(who)).status == GrantStatus.DONE) == shown.on


async def test_a_stranger_has_nothing_to_show(house: House) -> None:
    status = await Statuses(db=house.db, clock=house.clock).of_member(house.id, Identity(PLATFORM, "", PlatformUserId("9"), "x"))
    assert (status.plans, status.notices) == ((), ())
