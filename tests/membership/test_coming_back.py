from dataclasses import replace
from typing import Any

import pytest

from core.errors import PermissionMissing, TransientError
from core.ids import Ids
from core.platform import Admitted
from sandbox.clock import VirtualClock
from storage import retrying
from storage.audit import Trail
from storage.database import Database
from storage.spaces import SpaceRow
from tests.membership.house import CAUSE, House


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


async def test_a_role_given_by_hand_to_whoever_came_by_an_invite_that_carries_none_is_not_ours(house: House) -> None:
    who = await house.settler()
    await house.leaves(who)
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.joins(who)
    house.gives(who, "member")
    await house.drain()
    await house.end(who, source)
    await house.drain()
    assert house.held(who) == {"member"}


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("while it is paid for", True),
        ("while it is paid for", False),
        ("at the end", True),
        ("at the end", False),
        ("after an end that could not withdraw it", True),
    ],
)
async def test_a_role_that_came_with_our_invite_is_ours_to_take(
    house: House, monkeypatch: pytest.MonkeyPatch, when: str, *, told: bool
) -> None:
    who, whole = await house.settler(), house.adapter.admit

    async def admit(*args: Any, **options: Any) -> Admitted:  # noqa: ANN401 - passed on as they are
        return replace(await whole(*args, **options), carries=True)

    async def accept() -> None:
        await house.joins(who, told=False)
        house.gives(who, "member")
        if told:
            await house.joins(who)

    async def withdraw(*_args: Any, **_options: Any) -> None:  # noqa: ANN401
        raise PermissionMissing("The bot may not manage the server.", code="missing_permission")

    monkeypatch.setattr(house.adapter, "admit", admit)
    if when == "after an end that could not withdraw it":
        monkeypatch.setattr(house.adapter, "withdraw", withdraw)
    await house.leaves(who, told=False)
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.drift.run()
    async with house.db.transaction() as session:  # the bot was added again, and whoever waits is tried again
        await retrying.unblock_space(session, await session.get_one(SpaceRow, house.space), Trail(house.ids, house.clock.now(), CAUSE))
    await house.drain()
    if when != "after an end that could not withdraw it":
        await accept()
    if when == "while it is paid for":
        await house.drift.run()
        await house.drain()
        assert house.held(who) == {"member"}
    await house.end(who, source)
    await house.drain()
    if when == "after an end that could not withdraw it":
        await accept()
        await house.drain()
    assert house.held(who) == set()


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
