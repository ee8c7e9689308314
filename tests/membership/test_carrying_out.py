"""One attempt at a grant: what each error makes of the row, who is told, and how often."""

import asyncio
from datetime import timedelta

import pytest

from core.errors import ExternalError, InstallationRevoked, PermanentError, RateLimited, Remedy, ResourceMissing, TransientError
from core.ids import Ids, PlatformUserId
from core.platform import Resource, Space
from membership.grant import PER_SPACE
from sandbox.clock import VirtualClock
from storage import lanes, retrying
from storage.database import Database
from storage.grants import Actual, GrantStatus
from storage.outbox import OutboxKind
from tests.membership.house import ABOVE, GONE, LANE, House

CROWD = 60
BAD_TOKEN = PermanentError("The token is refused.", code="401")
CREATORS = [
    ABOVE,
    ResourceMissing("That does not exist any more.", code="unknown_resource"),
    InstallationRevoked("The bot is not in that space any more.", code="not_in_space"),
]


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


async def broken_news(house: House) -> int:
    return sum(row.payload["kind"] == "resource_broken" for row in await house.outbox(OutboxKind.NOTICE))


async def test_what_is_paid_for_is_given_and_its_end_takes_it(house: House) -> None:
    who = await house.settler()
    source = await house.sell(who)
    await house.drain()
    assert house.held(who) == {"member", "vip"}
    await house.end(who, source)
    await house.drain()
    assert house.held(who) == set()
    row = await house.row(who)
    assert (row.wanted, row.actual, row.status) == (False, Actual.REVOKED, GrantStatus.DONE)


async def test_no_answer_is_tried_again_for_ever_and_ever_more_slowly(house: House) -> None:
    who = await house.settler()
    await house.sell(who)
    house.adapter.down = TransientError("no network")
    waits = []
    for _ in range(20):
        await house.drain()
        row = await house.row(who)
        assert (row.status, row.actual, row.remedy) == (GrantStatus.PENDING, Actual.UNKNOWN, None)
        waits.append(row.due_at - house.clock.now())
        house.clock.advance(timedelta(hours=1))
    assert waits[0] < waits[3] < waits[6] < waits[9] <= max(waits) <= timedelta(hours=1)
    assert not await house.outbox(OutboxKind.NOTICE)
    house.adapter.down = None
    await house.later(timedelta(hours=1))
    assert house.held(who) == {"member", "vip"}


async def test_being_told_to_wait_is_no_attempt_and_keeps_to_the_time_told(house: House) -> None:
    who = await house.settler()
    await house.sell(who)
    house.adapter.down = RateLimited("slower", retry_after=90)
    await house.drain()
    row = await house.row(who)
    assert (row.status, row.attempts, row.due_at) == (GrantStatus.PENDING, 0, house.clock.now() + timedelta(seconds=90))
    house.adapter.down = None
    asked = len(house.adapter.calls)
    await house.later(timedelta(seconds=89))
    assert len(house.adapter.calls) == asked
    await house.later(timedelta(seconds=1))
    assert house.held(who) == {"member", "vip"}


@pytest.mark.parametrize("gives", [True, False])
async def test_a_refused_token_is_tried_again_every_few_minutes_and_loses_nothing(house: House, *, gives: bool) -> None:
    who = await house.settler()
    source = await house.sell(who)
    if not gives:
        await house.drain()
        await house.end(who, source)
    house.adapter.down = BAD_TOKEN
    for _ in range(30):
        await house.drain()
        row = await house.row(who)
        assert (row.status, row.remedy) == (GrantStatus.PENDING, Remedy.OPERATOR)
        assert timedelta() < row.due_at - house.clock.now() <= timedelta(minutes=10)
        house.clock.advance(timedelta(minutes=10))
    assert await broken_news(house) == 0, "its owner is the operator: the creator can do nothing about it"
    house.adapter.down = None
    await house.drain()
    assert house.held(who) == ({"member", "vip"} if gives else set())


@pytest.mark.parametrize("error", CREATORS, ids=lambda error: type(error).__name__)
async def test_what_the_creator_must_mend_blocks_everyone_and_tells_the_creator_once(house: House, error: ExternalError) -> None:
    people = await house.settlers(5)
    for who in people:
        house.adapter.refused[who, "member"] = error
        await house.sell(who, house.silver)
    await house.drain()
    for row in await house.rows():
        assert (row.status, row.remedy, row.actual) == (GrantStatus.BLOCKED, Remedy.CREATOR, Actual.UNKNOWN)
        assert (row.error, row.error_code) == (str(error), error.code)
    assert await house.problem() == str(error)
    assert await broken_news(house) == 1
    calls = len(house.adapter.changes)
    await house.later(timedelta(days=1))
    assert len(house.adapter.changes) == calls, "blocked is never sent again by itself"


@pytest.mark.parametrize("error", [GONE, CREATORS[1]], ids=["somebody who is gone", "a role that is gone"])
async def test_nothing_is_left_to_take_from(house: House, error: ExternalError) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    house.adapter.refused[who, "member"] = error
    await house.end(who, source)
    await house.drain()
    row = await house.row(who)
    assert (row.actual, row.status) == (Actual.REVOKED, GrantStatus.DONE)
    assert await broken_news(house) == 0


async def test_somebody_outside_is_invited_once_and_waits_until_they_come(house: House) -> None:
    who = await house.settler()
    await house.leaves(who, told=False)
    await house.sell(who, house.silver)
    await house.drain()
    row = await house.row(who)
    assert (row.status, row.remedy) == (GrantStatus.BLOCKED, Remedy.MEMBER)
    assert row.invite_url
    assert row.invited_at == house.clock.now()
    await house.later(timedelta(days=1))
    assert [call.verb for call in house.adapter.changes] == ["admit"]
    await house.joins(who)
    await house.drain()
    row = await house.row(who)
    assert (house.held(who), row.status, row.door) == ({"member"}, GrantStatus.DONE, "")


async def test_somebody_who_leaves_between_the_look_and_the_gift_is_invited(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    who, whole = await house.settler(), house.adapter.holds

    async def holds(space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        answer = await whole(space, user)
        await house.leaves(user, told=False)
        return answer

    monkeypatch.setattr(house.adapter, "holds", holds)
    await house.sell(who, house.silver)
    await house.drain()
    assert [call.verb for call in house.adapter.changes] == ["grant", "admit"]
    row = await house.row(who)
    assert (row.status, row.remedy) == (GrantStatus.BLOCKED, Remedy.MEMBER)
    assert row.invite_url


async def test_what_changes_between_the_look_and_the_gift_is_looked_at_afresh(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    who, whole = await house.settler(), house.adapter.holds
    house.gives(who, "member")

    async def holds(space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        answer = await whole(space, user)
        if "member" in (house.held(user) or ()):  # they leave with all they had, and are back
            await house.leaves(user)
            await house.joins(user)
        return answer

    monkeypatch.setattr(house.adapter, "holds", holds)
    source = await house.sell(who, house.silver)
    await house.drain()
    assert house.held(who) == {"member"}
    monkeypatch.undo()
    await house.end(who, source)
    await house.drain()
    assert house.held(who) == set()


async def test_a_role_they_had_before_is_neither_given_nor_taken(house: House) -> None:
    who = await house.settler()
    house.gives(who, "member")
    source = await house.sell(who, house.silver)
    await house.drain()
    row = await house.row(who)
    assert (row.actual, row.status, row.found) == (Actual.GRANTED, GrantStatus.DONE, True)
    await house.end(who, source)
    await house.drain()
    assert house.adapter.changes == []
    assert house.held(who) == {"member"}


async def test_a_role_given_by_hand_after_we_were_refused_is_not_ours(house: House) -> None:
    who = await house.settler()
    house.thing("member").reachable = False
    source = await house.sell(who, house.silver)
    await house.drain()
    house.gives(who, "member")
    await house.end(who, source)
    house.thing("member").reachable = True
    await house.probe()
    await house.drain()
    assert house.held(who) == {"member"}


@pytest.mark.parametrize("poison", [KeyError("roles"), TypeError("None")], ids=["KeyError", "TypeError"])
@pytest.mark.parametrize("where", ["the look", "the gift"])
async def test_a_poisoned_member_holds_up_nobody_and_backs_off(house: House, poison: Exception, where: str) -> None:
    bad, good = await house.settlers(2)
    if where == "the look":
        house.adapter.poisoned[bad] = poison
    else:
        house.adapter.refused[bad, "member"] = poison
    for who in (bad, good):
        await house.sell(who, house.silver)
    await house.drain()
    assert house.held(good) == {"member"}
    row = await house.row(bad)
    assert (row.status, row.attempts, row.actual) == (GrantStatus.PENDING, 1, Actual.UNKNOWN)
    assert row.due_at > house.clock.now()
    assert type(poison).__name__ in row.error
    asked = len(house.adapter.calls)
    await house.drain()
    assert len(house.adapter.calls) == asked, "it is not due yet"
    house.adapter.poisoned.clear()
    house.adapter.refused.clear()
    await house.later(timedelta(seconds=2))
    assert house.held(bad) == {"member"}


async def test_what_fails_by_our_own_fault_is_given_up_in_the_end_and_shown(house: House) -> None:
    who = await house.settler()
    house.adapter.refused[who, "member"] = KeyError("roles")
    await house.sell(who, house.silver)
    for _ in range(40):
        await house.later(timedelta(hours=1))
    row = await house.row(who)
    assert (row.status, row.remedy, row.actual) == (GrantStatus.DEAD, Remedy.OPERATOR, Actual.UNKNOWN)
    calls = len(house.adapter.calls)
    await house.later(timedelta(days=1))
    assert len(house.adapter.calls) == calls


async def test_one_role_that_is_refused_does_not_keep_the_other_back(house: House) -> None:
    who = await house.settler()
    house.thing("vip").reachable = False
    await house.sell(who)
    await house.drain()
    assert house.held(who) == {"member"}
    assert (await house.row(who, "vip")).remedy == Remedy.CREATOR
    assert await house.problem("vip")
    assert not await house.problem("member")


async def test_an_end_while_the_gift_is_on_its_way_is_not_lost(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    called, go, whole = asyncio.Event(), asyncio.Event(), house.adapter.grant

    async def slow(*args: object, **words: object) -> None:
        called.set()
        await go.wait()
        await whole(*args, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(house.adapter, "grant", slow)
    async with asyncio.TaskGroup() as group:
        group.create_task(house.drain())
        await called.wait()
        await house.end(who, source)
        go.set()
    await house.drain()
    assert house.held(who) == set()
    row = await house.row(who)
    assert (row.wanted, row.actual, row.status) == (False, Actual.REVOKED, GrantStatus.DONE)


async def test_a_welcome_is_said_once_for_each_reason(house: House) -> None:
    who = await house.settler()
    await house.sell(who)
    await house.drain()
    await house.joins(who)
    await house.drain()
    kinds = [row.payload["kind"] for row in await house.outbox(OutboxKind.NOTICE)]
    assert kinds == ["welcome"]
    await house.sell(who, house.silver)
    await house.joins(who)
    await house.drain()
    assert len(await house.outbox(OutboxKind.NOTICE)) == 2


async def test_the_lane_says_when_it_has_work_again(house: House) -> None:
    who = await house.settler()
    await house.sell(who, house.silver)
    house.adapter.down = RateLimited("slower", retry_after=90)
    await house.drain()
    epoch = await lanes.take(house.db, LANE, "another", house.clock.now())
    assert await house.grants.drain(LANE, epoch) == house.clock.now() + timedelta(seconds=90)


async def test_a_space_that_gives_no_answer_is_asked_for_a_few_and_not_for_everybody(house: House) -> None:
    people = await house.settlers(CROWD)
    for who in people:
        await house.sell(who, house.silver)
    house.adapter.down = TransientError("no network")
    for _ in range(10):
        await house.later(timedelta(minutes=5))
    assert len(house.adapter.calls) <= 10 * 3 * PER_SPACE
    assert all(row.due_at <= house.clock.now() + retrying.LONGEST_REST for row in await house.rows() if row.attempts == 1)
    house.adapter.down = None
    await house.later(retrying.LONGEST_REST)
    await house.drain()
    assert [house.held(who) for who in people] == [{"member"}] * CROWD
