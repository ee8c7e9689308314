"""The outbox: members reconciled and notices sent, none of them held up by another."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text
from sqlmodel import select

from core.backoff import MAX_ATTEMPTS
from core.dispatch import Lane
from core.errors import ExternalError, MemberUnreachable, PermanentError, RateLimited, TransientError
from core.events import Notice, NoticeKind
from core.ids import CauseId, CommunityId, Ids, MemberId, PlatformUserId
from core.platform import Destination, Message, MessageRef
from sandbox.clock import VirtualClock
from storage import lanes
from storage.audit import Trail
from storage.database import Database, Session
from storage.grants import GrantRow
from storage.inbox import WorkStatus
from storage.outbox import OutboxKind, OutboxRow, add_notice, add_reconcile
from tests.membership.house import CAUSE, CREATOR, House

LANE = Lane("work:07")
HELLO = Notice(NoticeKind.HELLO, {"space": "Town"})


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


async def ask(house: House, people: list[MemberId]) -> None:
    """Have members reconciled, on one lane."""
    async with house.db.transaction() as session:
        for who in people:
            await add_reconcile(session, Trail(house.ids, house.clock.now(), CAUSE), house.id, who)
        await session.execute(text("UPDATE outbox SET lane = :lane"), {"lane": LANE})


async def say(house: House, notice: Notice = HELLO, member: MemberId | None = None, dedupe: str | None = None) -> None:
    async with house.db.transaction() as session:
        await add_notice(session, Trail(house.ids, house.clock.now(), CAUSE), house.id, notice, member=member, dedupe=dedupe)
        await session.execute(text("UPDATE outbox SET lane = :lane"), {"lane": LANE})


async def notice(house: House) -> OutboxRow:
    [row] = await house.outbox(OutboxKind.NOTICE)
    return row


def poison(house: House, monkeypatch: pytest.MonkeyPatch, bad: MemberId) -> None:
    whole = house.reconciler.reconcile

    async def reconcile(session: Session, community: CommunityId, member: MemberId, *, cause: CauseId) -> int:
        if member == bad:
            raise KeyError("a row that makes no sense")
        return await whole(session, community, member, cause=cause)

    monkeypatch.setattr(house.reconciler, "reconcile", reconcile)


async def wanted(house: House) -> set[str]:
    async with house.db.reading() as session:
        return {row.member_id for row in (await session.exec(select(GrantRow))).all() if row.wanted}


async def test_a_member_asked_for_thrice_is_reconciled_once(house: House) -> None:
    who = await house.settler()
    await house.passes([who], None)
    for _ in range(3):
        await ask(house, [who])
    await house.drain_work(LANE)
    rows = await house.outbox(OutboxKind.RECONCILE)
    assert [row.status for row in rows] == [WorkStatus.DONE] * 3
    assert [row.version for row in await house.rows()] == [1, 1], "one grant for each role, written once"


async def test_a_poisoned_member_holds_up_nobody_and_is_never_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    people = await house.settlers(20)
    await house.passes(people, None)
    poison(house, monkeypatch, people[3])
    await ask(house, people)
    await house.drain_work(LANE)
    assert await wanted(house) == set(people) - {people[3]}
    for _ in range(MAX_ATTEMPTS + 5):
        house.clock.advance(timedelta(hours=1))
        await house.drain_work(LANE)
    [row] = [row for row in await house.outbox(OutboxKind.RECONCILE) if row.status != WorkStatus.DONE]
    assert (row.subject, row.status, row.attempts) == (people[3], WorkStatus.PENDING, MAX_ATTEMPTS + 6)
    assert timedelta() < row.due_at - house.clock.now() <= timedelta(hours=1)
    monkeypatch.undo()
    house.clock.advance(timedelta(hours=1))
    await house.drain_work(LANE)
    assert await wanted(house) == set(people)


async def test_whoever_else_writes_waits_for_a_few_members_not_for_a_crowd(house: House) -> None:
    people = await house.settlers(200)
    await house.passes(people, None, house.silver)
    await ask(house, people)
    done = "SELECT count(*) FROM outbox WHERE status = 'done'"
    counts = []
    async with asyncio.TaskGroup() as group:
        work = group.create_task(house.drain_work(LANE))
        while not work.done():
            async with house.db.transaction() as session:
                counts.append((await session.execute(text(done))).scalar_one())
            await asyncio.sleep(0)
    assert await wanted(house) == set(people)
    assert max(after - before for before, after in pairwise(counts)) <= 50


async def test_a_message_that_hangs_holds_up_no_access_and_no_other_message(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    who, other = await house.settlers(2)
    ended = Notice(NoticeKind.ENDED, {"plan": "Gold"})
    await say(house, ended, who)
    await say(house, ended, other)
    await house.passes([who], None)
    await ask(house, [who])
    go, heard, whole = asyncio.Event(), asyncio.Event(), house.adapter.send

    async def send(to: Destination, message: Message) -> MessageRef:
        if getattr(to, "user", "") == who:
            await go.wait()
        sent = await whole(to, message)
        heard.set()
        return sent

    monkeypatch.setattr(house.adapter, "send", send)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(house.drain_work(LANE))
        await asyncio.wait_for(heard.wait(), 5)
        assert house.mail(other)
        await house.passes([other], None)
        await ask(house, [other])
        async with asyncio.timeout(5):
            while await wanted(house) != {who, other}:  # noqa: ASYNC110 - a row says so, no event does
                await asyncio.sleep(0.005)
        assert not work.done()
        assert not house.mail(who)
        go.set()
    assert house.mail(who)


@pytest.mark.parametrize("error", [TransientError("no network"), RateLimited("slower", retry_after=60)], ids=["no answer", "too fast"])
async def test_a_message_that_finds_no_platform_goes_out_later_however_long_it_takes(house: House, error: ExternalError) -> None:
    await say(house)
    house.adapter.down = error
    for _ in range(MAX_ATTEMPTS + 5):
        await house.drain_work(LANE)
        row = await notice(house)
        assert (row.status, row.undelivered) == (WorkStatus.PENDING, False)
        assert row.due_at > house.clock.now()
        house.clock.advance(timedelta(hours=2))
    assert (await notice(house)).attempts == (0 if isinstance(error, RateLimited) else MAX_ATTEMPTS + 5)
    house.adapter.down = None
    await house.drain_work(LANE)
    assert len(house.mail()) == 1
    assert (await notice(house)).status == WorkStatus.DONE


async def test_being_told_to_wait_is_kept_to_and_spread_a_little(house: House) -> None:
    await say(house)
    house.adapter.down = RateLimited("slower", retry_after=60)
    await house.drain_work(LANE)
    wait = (await notice(house)).due_at - house.clock.now()
    assert timedelta(seconds=60) <= wait < timedelta(seconds=90)


@pytest.mark.parametrize(
    "error", [MemberUnreachable("closed"), PermanentError("The token is refused.")], ids=lambda error: type(error).__name__
)
async def test_a_message_nobody_gets_is_kept_to_be_shown(house: House, error: ExternalError) -> None:
    who = await house.settler()
    await say(house, Notice(NoticeKind.ENDED, {"plan": "Gold"}), who)
    house.adapter.down = error
    await house.drain_work(LANE)
    row = await notice(house)
    assert (row.status, row.undelivered) == (WorkStatus.DONE, True)


async def test_a_message_that_cannot_be_worded_is_given_up_and_kept(house: House) -> None:
    who = await house.settler()
    await say(house, Notice(NoticeKind.ENDING, {}), who)
    for _ in range(MAX_ATTEMPTS):
        assert (await notice(house)).status == WorkStatus.PENDING
        await house.drain_work(LANE)
        house.clock.advance(timedelta(hours=1))
    row = await notice(house)
    assert (row.status, row.undelivered) == (WorkStatus.DEAD, True)
    assert row.error.startswith("KeyError")


async def test_a_message_is_said_once_for_its_reason(house: House) -> None:
    for _ in range(3):
        await say(house, dedupe="hello:once")
        await house.drain_work(LANE)
    assert len(house.mail()) == 1


async def test_the_lane_says_when_it_has_work_again(house: House) -> None:
    await say(house)
    house.adapter.down = TransientError("no network")
    epoch = await lanes.take(house.db, LANE, "another", house.clock.now())
    assert await house.work.drain(LANE, epoch) == (await notice(house)).due_at
    assert house.world.people[PlatformUserId(CREATOR)].inbox == []
