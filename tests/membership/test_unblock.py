"""Looking again at what waits for the creator: what works is given, what does not is told once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from core.errors import ExternalError, PermanentError, PermissionMissing, RateLimited, TransientError
from core.ids import Ids
from sandbox.clock import VirtualClock
from storage.audit import AuditRow
from storage.database import Database
from storage.grants import GrantStatus
from storage.outbox import OutboxKind
from storage.spaces import SpaceRow
from tests.membership.house import CAUSE, House
from tests.membership.town import everything

NO_INVITES = PermissionMissing("The bot may not make invites. Give it that permission.", code="missing_permission")


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


async def hourly(house: House, hours: int) -> None:
    for _ in range(hours):
        house.clock.advance(timedelta(hours=1))
        await house.probe()
        await house.drain()
        await house.tell_everyone()


async def test_what_works_again_is_given_to_everyone_who_waited(house: House) -> None:
    people = await house.settlers(3)
    house.thing("member").reachable = False
    for who in people:
        await house.sell(who, house.silver)
    await house.drain()
    house.thing("member").reachable = True
    await house.probe()
    await house.drain()
    assert [house.held(who) for who in people] == [{"member"}] * 3
    assert await house.problem() == ""


@pytest.mark.parametrize("already", [False, True], ids=["nobody knew", "it was known to be broken"])
async def test_a_refusal_that_is_overtaken_by_its_mending_keeps_nobody_out(house: House, *, already: bool) -> None:
    who = await house.settler()
    house.thing("member").reachable = False
    if already:
        await house.probe()

    async def mended() -> None:
        house.thing("member").reachable = True
        await house.probe()

    house.adapter.meanwhile = mended
    await house.sell(who, house.silver)
    await house.drain()
    assert house.held(who) == {"member"}
    assert await house.problem() == ""
    assert [mail for mail in house.mail() if "above" in mail] == []


async def test_a_refusal_after_a_check_that_is_older_than_it_is_believed(house: House) -> None:
    who = await house.settler()
    house.thing("member").reachable = False

    async def mended_for_a_moment() -> None:
        house.thing("member").reachable = True
        await house.probe()
        house.thing("member").reachable = False

    house.adapter.meanwhile = mended_for_a_moment
    await house.sell(who, house.silver)
    await house.drain()
    assert (await house.row(who)).status == GrantStatus.BLOCKED
    assert await house.problem()


async def test_one_check_for_each_role_however_many_wait(house: House) -> None:
    house.thing("member").reachable = False
    for who in await house.settlers(6):
        await house.sell(who)
    await house.drain()
    asked = len(house.adapter.calls)
    await house.probe()
    assert [call.verb for call in house.adapter.calls[asked:]] == ["check", "check"]


async def test_what_still_does_not_work_is_not_tried_on_anybody_and_told_no_second_time(house: House) -> None:
    who = await house.settler()
    house.thing("member").reachable = False
    await house.sell(who, house.silver)
    await house.drain()
    changes = len(house.adapter.changes)
    await hourly(house, 10)
    assert len(house.adapter.changes) == changes
    assert len(house.mail()) == 1
    assert "Put the bot above it." in house.mail()[0]


async def test_the_creator_is_told_once_of_what_only_a_gift_can_find(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def admit(*_args: object, **_words: object) -> None:
        raise NO_INVITES

    monkeypatch.setattr(house.adapter, "admit", admit)
    who = await house.settler()
    await house.leaves(who, told=False)
    await house.sell(who, house.silver)
    await house.drain()
    await hourly(house, 10)
    assert len([mail for mail in house.mail() if "invites" in mail]) == 1
    assert await house.problem() == str(NO_INVITES)
    monkeypatch.undo()
    await hourly(house, 1)
    assert (await house.row(who)).invite_url
    assert await house.problem() == ""


async def test_what_breaks_anew_is_told_anew(house: House) -> None:
    who = await house.settler()
    for _ in range(2):
        house.thing("member").reachable = False
        source = await house.sell(who, house.silver)
        await house.drain()
        house.thing("member").reachable = True
        await hourly(house, 1)
        await house.end(who, source)
        await house.drain()
    assert len([mail for mail in house.mail() if "above" in mail]) == 2


async def test_a_role_that_broke_is_known_before_anybody_pays_for_it(house: House) -> None:
    house.thing("vip").reachable = False
    await house.probe()
    assert await house.problem("vip")
    assert [row.payload["kind"] for row in await house.outbox(OutboxKind.NOTICE)] == ["resource_broken"]
    house.thing("vip").reachable = True
    await house.probe()
    assert await house.problem("vip") == ""


def _down(error: ExternalError) -> Callable[[House], Awaitable[None]]:
    async def happen(house: House) -> None:
        house.adapter.down = error

    return happen


async def _disconnected(house: House) -> None:
    async with house.db.transaction() as session:
        (await session.get_one(SpaceRow, house.space)).connected = False


@pytest.mark.parametrize(
    "happen",
    [_down(TransientError("no network")), _down(RateLimited("slower", retry_after=9)), _down(PermanentError("bad token")), _disconnected],
    ids=["no answer", "too fast", "bad token", "a space we are not in"],
)
async def test_without_an_answer_nothing_changes(house: House, happen: Callable[[House], Awaitable[None]]) -> None:
    who = await house.settler()
    house.thing("member").reachable = False
    await house.sell(who, house.silver)
    await house.drain()
    await happen(house)
    before = await everything(house.db)
    await house.probe()
    assert await everything(house.db) == before
    assert (await house.row(who)).status == GrantStatus.BLOCKED


async def test_what_was_mended_is_written_down(house: House) -> None:
    house.thing("vip").reachable = False
    await house.probe()
    house.thing("vip").reachable = True
    await house.probe()
    async with house.db.reading() as session:
        rows = (await session.exec(select(AuditRow).order_by(col(AuditRow.action)))).all()
    assert [(row.action, row.cause_id, row.subject_id) for row in rows] == [
        ("resource.broken", CAUSE, house.role("vip")),
        ("resource.mended", CAUSE, house.role("vip")),
    ]
