from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.backoff import LONGEST
from core.errors import PermissionMissing, TransientError
from core.ids import Ids, MemberId
from core.platform import Admitted
from membership.outcome import INVITE_LASTS, LOOKS_EVERY
from sandbox.clock import VirtualClock
from storage import retrying
from storage.audit import Trail
from storage.database import Database
from storage.grants import Actual, GrantStatus
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


class Kept:
    """An invite that carries the role, in the hands of somebody whose membership has ended, and that the platform does not take back."""

    def __init__(self, house: House, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.house, self.who = house, who
        self.may_withdraw = False
        self._withdraw, self._admit = house.adapter.withdraw, house.adapter.admit
        self.address: str | None = None
        monkeypatch.setattr(house.adapter, "withdraw", self.withdraw)
        monkeypatch.setattr(house.adapter, "admit", self.admit)

    async def admit(self, *args: Any, **options: Any) -> Admitted:  # noqa: ANN401 - passed on as they are
        admitted = await self._admit(*args, **options)
        return replace(admitted, invite_url=admitted.invite_url if self.address is None else self.address)

    async def withdraw(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        if not self.may_withdraw:
            raise PermissionMissing("The bot may not manage the server.", code="missing_permission")
        await self._withdraw(*args, **options)

    async def come_and_go(self) -> None:
        """Be sold something outside, and lose it before coming in."""
        house = self.house
        house.place.carrying = True
        await house.leaves(self.who, told=False)
        source = await house.sell(MemberId(self.who), house.silver)
        await house.drain()
        await house.end(MemberId(self.who), source)
        await house.drain()


@pytest.fixture
async def kept(house: House, monkeypatch: pytest.MonkeyPatch) -> Kept:
    return Kept(house, await house.settler(), monkeypatch)


@pytest.mark.parametrize("address", [None, ""], ids=["an invite with an address", "a letter of the platform's own"])
async def test_who_comes_unseen_by_an_invite_that_stays_out_has_the_role_for_an_hour_at_most(
    house: House, kept: Kept, address: str | None
) -> None:
    kept.address = address
    await kept.come_and_go()
    await house.later(timedelta(days=2))
    assert await house.accepts(kept.who, told=False)
    await house.later(timedelta(hours=1))
    assert house.held(kept.who) == set()


async def test_who_comes_by_an_invite_that_stays_out_and_is_told_of_loses_the_role_at_once(house: House, kept: Kept) -> None:
    await kept.come_and_go()
    await house.later(timedelta(days=2))
    assert await house.accepts(kept.who)
    await house.drain()
    assert house.held(kept.who) == set()


async def test_an_invite_that_stays_out_is_taken_back_once_the_platform_lets_us(house: House, kept: Kept) -> None:
    await kept.come_and_go()
    assert (await house.row(kept.who)).error == "The bot may not manage the server."
    kept.may_withdraw = True
    await house.later(timedelta(hours=1))
    assert not await house.accepts(kept.who)
    assert ((await house.row(kept.who)).status, (await house.row(kept.who)).invite_url) == (GrantStatus.DONE, "")


@pytest.mark.long
async def test_an_invite_that_stays_out_is_looked_after_with_ever_longer_pauses_and_not_beyond_its_life(house: House, kept: Kept) -> None:
    await kept.come_and_go()
    house.adapter.calls.clear()
    pauses: list[timedelta] = []
    while (row := await house.row(kept.who)).status == GrantStatus.PENDING:
        assert len(pauses) < 24 * 7 * 2 + 16
        pauses.append(row.due_at - house.clock.now())
        await house.later(pauses[-1])
    assert (min(pauses[:-1]), sum(pauses, timedelta())) == (LOOKS_EVERY, INVITE_LASTS)
    assert LONGEST / 2 <= max(pauses) <= LONGEST
    await house.later(timedelta(days=1))
    assert (await house.row(kept.who)).actual == Actual.REVOKED


async def test_a_leave_before_the_invite_ran_out_does_not_call_off_the_looking(house: House, kept: Kept) -> None:
    await kept.come_and_go()
    await house.leaves(kept.who)
    assert await house.accepts(kept.who)
    await house.drain()
    assert house.held(kept.who) == set()


async def test_whoever_pays_again_while_their_invite_is_out_comes_in_by_it(house: House, kept: Kept) -> None:
    await kept.come_and_go()
    await house.sell(MemberId(kept.who), house.silver)
    await house.drain()
    assert await house.accepts(kept.who)
    await house.later(INVITE_LASTS)
    assert house.held(kept.who) == {"member"}


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
