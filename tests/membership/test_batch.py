"""Many changes of one resource in one call: where the platform keeps a list that is replaced whole."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

import pytest

from core.errors import ExternalError, MemberUnreachable, PermissionMissing, Remedy, TransientError
from core.ids import Ids, MemberId, PlatformUserId
from core.platform import Resource, ResourceKind
from sandbox.clock import VirtualClock
from sandbox.memory import MemoryWorld
from storage.database import Database
from storage.grants import Actual, GrantStatus
from tests.membership.house import House, PowerCut, Watched

CROWD = 40
Answers = Mapping[PlatformUserId, ExternalError | None]


class Listed(Watched):
    """A platform whose roles are lists that are replaced whole."""

    batched_kinds: ClassVar[frozenset[ResourceKind]] = frozenset({ResourceKind.ROLE})

    def __init__(self, world: MemoryWorld, clock: VirtualClock) -> None:
        super().__init__(world, clock)
        self.broken = ""
        self.batches: list[tuple[str, frozenset[PlatformUserId], frozenset[PlatformUserId]]] = []

    async def apply(
        self, resource: Resource, grants: frozenset[PlatformUserId], revokes: frozenset[PlatformUserId], *, reason: str
    ) -> Answers:
        self.batches.append((resource.external_id, grants, revokes))
        self._may_end("before", PlatformUserId(""))
        await self._call("apply", resource.external_id)
        assert reason
        if resource.external_id == self.broken:
            raise KeyError("a bug")
        answers: dict[PlatformUserId, ExternalError | None] = {}
        for user in grants | revokes:
            held = self.world.places[resource.space.external_id].members.get(user)
            refused = self.refused.get((user, resource.external_id))
            if held is None:
                answers[user] = MemberUnreachable("They are not here.", code="unknown_member")
            elif isinstance(refused, ExternalError):
                answers[user] = refused
            else:
                (held.add if user in grants else held.discard)(resource.external_id)
                answers[user] = None
        self._may_end("after", PlatformUserId(""))
        return answers


@pytest.fixture
def listed(clock: VirtualClock) -> Listed:
    return Listed(MemoryWorld(), clock)


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids, listed: Listed) -> House:
    house = House(sqlite_database, clock, ids, listed)
    await house.build()
    return house


async def silver(house: House, number: int) -> dict[MemberId, str]:
    """Settle people who have paid for the one role that silver opens; their sources by person."""
    return {who: await house.sell(who, house.silver) for who in await house.settlers(number)}


async def test_whoever_waits_for_one_role_is_served_by_one_call(house: House, listed: Listed) -> None:
    people = await silver(house, CROWD)
    await house.drain()
    assert [(role, len(gains), len(losses)) for role, gains, losses in listed.batches] == [("member", CROWD, 0)]
    assert all(house.held(who) == {"member"} for who in people)
    assert {(row.actual, row.status) for row in await house.rows()} == {(Actual.GRANTED, GrantStatus.DONE)}


async def test_gains_and_losses_go_together(house: House, listed: Listed) -> None:
    people = await silver(house, 3)
    await house.drain()
    leaves = next(iter(people))
    await house.end(leaves, people[leaves])
    comes = next(iter(await silver(house, 1)))
    listed.batches.clear()
    await house.drain()
    assert listed.batches == [("member", frozenset({PlatformUserId(comes)}), frozenset({PlatformUserId(leaves)}))]
    assert (house.held(leaves), house.held(comes)) == (set(), {"member"})


async def test_what_somebody_had_before_is_neither_given_nor_taken(house: House, listed: Listed) -> None:
    [who] = await house.settlers(1)
    house.gives(who, "member")
    source = await house.sell(who, house.silver)
    await house.drain()
    await house.end(who, source)
    await house.drain()
    assert listed.batches == []
    assert house.held(who) == {"member"}


async def test_each_of_them_fails_alone(house: House, listed: Listed) -> None:
    people = list(await silver(house, 3))
    listed.refused[people[0], "member"] = PermissionMissing("Guests can't be in a group.", code="guest")
    house.place.members.pop(PlatformUserId(people[1]))
    await house.drain()
    rows = {row.member_id: row for row in await house.rows()}
    assert (rows[people[0]].status, rows[people[0]].remedy) == (GrantStatus.BLOCKED, Remedy.CREATOR)
    assert (rows[people[1]].status, rows[people[1]].remedy) == (GrantStatus.BLOCKED, Remedy.MEMBER)
    assert (rows[people[2]].status, house.held(people[2])) == (GrantStatus.DONE, {"member"})


async def test_a_call_without_an_answer_is_made_again_for_all_of_them(house: House, listed: Listed) -> None:
    people = await silver(house, 3)
    listed.down = TransientError("no network")
    await house.drain()
    assert {row.status for row in await house.rows()} == {GrantStatus.PENDING}
    listed.down = None
    house.clock.advance(max(row.due_at for row in await house.rows()) - house.clock.now())
    await house.drain()
    assert all(house.held(who) == {"member"} for who in people)


async def test_a_bug_in_one_list_holds_up_no_other(house: House, listed: Listed) -> None:
    who = await house.settler()
    await house.sell(who)
    listed.broken = "vip"
    await house.drain()
    assert house.held(who) == {"member"}
    assert (await house.row(who, "vip")).attempts == 1


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_when_the_power_goes_in_the_call_it_is_made_again_and_what_we_gave_is_taken_in_the_end(
    house: House, listed: Listed, moment: str
) -> None:
    people = await silver(house, 2)
    listed.cut = moment
    with pytest.RaisesGroup(PowerCut):
        await house.drain()
    await house.drain()
    assert all(house.held(who) == {"member"} for who in people)
    for who, source in people.items():
        await house.end(who, source)
    await house.drain()
    assert all(house.held(who) == set() for who in people)


@pytest.mark.parametrize("down", [False, True], ids=["at once", "once the platform answers"])
async def test_the_invite_of_whoever_was_to_come_into_a_list_is_taken_back_at_the_end(house: House, listed: Listed, *, down: bool) -> None:
    [who] = await house.settlers(1)
    await house.leaves(who)
    source = await house.sell(who, house.silver)
    await house.drain()
    [code] = house.place.invites
    listed.down = TransientError("no network") if down else None
    await house.end(who, source)
    await house.drain()
    assert (code in house.place.invites) is down
    listed.down = None
    house.clock.advance(timedelta(minutes=1))
    await house.drain()
    assert not house.place.invites
    assert (await house.row(who)).status == GrantStatus.DONE


async def test_who_comes_into_a_list_by_an_invite_that_carries_it_after_the_end_is_taken_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.place.carrying = True
    [who] = await house.settlers(1)
    await house.leaves(who)
    source = await house.sell(who, house.silver)
    await house.drain()

    async def withdraw(*_args: object, **_options: object) -> None:
        raise PermissionMissing("The bot may not manage the server.", code="missing_permission")

    monkeypatch.setattr(house.adapter, "withdraw", withdraw)
    await house.end(who, source)
    await house.drain()
    assert await house.accepts(who, told=False)
    await house.later(timedelta(hours=1))
    assert house.held(who) == set()
