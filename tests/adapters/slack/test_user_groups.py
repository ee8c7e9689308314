"""One write for everything that changes in a user group; whom we did not put in stays; nobody is taken who is not named."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.slack.group_list import SHARED
from core.errors import ExternalError, MemberUnreachable, PermissionMissing, Refusal, ResourceMissing, TransientError
from core.ids import PlatformUserId
from core.platform import BatchGrants, Resource, ResourceKind
from sandbox.clock import VirtualClock
from sandbox.slack import Plan, Role
from sandbox.slack.usergroups import UserGroup
from tests.adapters.slack.emulated import Emulated, Hurry

Users = frozenset[PlatformUserId]
FEW = [PlatformUserId(f"U00000{number}") for number in range(6)]
NOBODY: Users = frozenset()
WRITES = ("usergroups.users.update", "usergroups.enable", "usergroups.disable")


def some(*numbers: int) -> Users:
    return frozenset(FEW[number] for number in numbers)


class Grouped(Emulated):
    """A workspace on Pro with six people, whose user groups apps may manage."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock, plan=Plan.PRO, pacer=Hurry().pacer())
        self.club.preferences.manage_groups = Role.MEMBER
        for user in FEW:
            self.lodge(user, self.club.general)

    def group(self, users: Users = NOBODY, name: str = "Fans") -> tuple[UserGroup, Resource]:
        made = self.ann.create_group(self.club, name, name.lower())
        made.users = sorted(users)
        return made, Resource(self.space, ResourceKind.USER_GROUP, made.id)

    def writes(self) -> int:
        return sum(self.emulator.rest.count(method) for method in WRITES)

    async def apply(self, resource: Resource, grants: Users, revokes: Users = NOBODY) -> dict[PlatformUserId, ExternalError | None]:
        return dict(await self.adapter.apply(resource, grants, revokes, reason="paid"))


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[Grouped]:
    world = Grouped(clock)
    async with world.serving():
        assert isinstance(world.adapter, BatchGrants)
        yield world


async def test_a_thousand_changes_cost_one_read_one_write_and_a_look_back(world: Grouped) -> None:
    old = frozenset(PlatformUserId(f"UOLD{number:05}") for number in range(500))
    new = frozenset(PlatformUserId(f"UNEW{number:05}") for number in range(500))
    for user in old | new:
        world.lodge(user, world.club.general)
    group, resource = world.group(old | some(0))

    outcomes = await world.apply(resource, new, old)

    assert set(outcomes.values()) == {None}
    assert outcomes.keys() == old | new
    assert frozenset(group.users) == new | some(0)
    assert world.writes() == 1
    assert world.emulator.rest.count("usergroups.list") == 2


async def test_the_last_to_go_switch_the_group_off_and_the_first_to_come_switches_it_on(world: Grouped) -> None:
    group, resource = world.group(some(0, 1))

    await world.apply(resource, NOBODY, some(0, 1))
    assert group.disabled
    assert [user async for user in world.adapter.holders(resource)] == []
    assert await world.adapter.holds(world.space, FEW[0]) == frozenset[Resource]()

    assert await world.apply(resource, some(2)) == {FEW[2]: None}
    assert not group.disabled
    assert group.users == [FEW[2]], "whoever was in it when it went off is not back in it"


async def test_changing_nothing_writes_nothing(world: Grouped) -> None:
    _, resource = world.group(some(0))

    assert await world.apply(resource, some(0), some(1)) == {FEW[0]: None, FEW[1]: None}

    assert world.writes() == 0


async def test_a_change_of_one_is_a_batch_of_one(world: Grouped) -> None:
    group, resource = world.group(some(0))

    await world.adapter.grant(resource, FEW[1], reason="paid")
    assert await world.adapter.holds(world.space, FEW[1]) == frozenset({resource})
    await world.adapter.revoke(resource, FEW[1], reason="ended")

    assert group.users == [FEW[0]]


async def test_a_guest_an_app_and_a_stranger_are_refused_alone(world: Grouped) -> None:
    group, resource = world.group(some(0))
    guest, single = PlatformUserId("UGUEST"), PlatformUserId("USINGLE")
    world.lodge(guest, world.rooms["gold"], Role.GUEST)
    world.lodge(single, world.rooms["gold"], Role.SINGLE_CHANNEL_GUEST)
    assert world.club.bot is not None
    us, stranger = PlatformUserId(world.club.bot.id), PlatformUserId("UNOBODY")

    outcomes = await world.apply(resource, some(1, 2) | {guest, single, us, stranger}, some(0))

    assert {user for user, error in outcomes.items() if error is None} == some(0, 1, 2)
    assert {type(outcomes[user]) for user in (guest, single, us)} == {PermissionMissing}
    assert type(outcomes[stranger]) is MemberUnreachable
    assert frozenset(group.users) == some(1, 2)
    assert world.emulator.rest.count("usergroups.users.update") == 2


async def test_many_at_once_are_told_apart_without_asking_about_each(world: Grouped) -> None:
    crowd = frozenset(PlatformUserId(f"UCROWD{number:03}") for number in range(40))
    for user in crowd:
        world.lodge(user, world.club.general)
    guest = PlatformUserId("UGUEST")
    world.lodge(guest, world.rooms["gold"], Role.GUEST)
    _, resource = world.group(some(0))

    outcomes = await world.apply(resource, crowd | {guest})

    assert [user for user, error in outcomes.items() if error] == [guest]
    assert world.emulator.rest.count("users.info") == 0


async def test_a_full_group_still_lets_people_go(world: Grouped) -> None:
    group, resource = world.group(some(0, 1))
    world.club.preferences.group_size = 2

    outcomes = await world.apply(resource, some(2, 3, 4), some(0))

    assert {user for user, error in outcomes.items() if isinstance(error, PermissionMissing)} == some(2, 3, 4)
    assert group.users == [FEW[1]]


async def test_an_answer_that_leaves_open_what_happened_is_settled_by_looking(world: Grouped) -> None:
    group, resource = world.group(some(0))
    world.emulator.refuse("usergroups.users.update", "fatal_error", after=True)
    assert await world.apply(resource, some(1)) == {FEW[1]: None}
    assert frozenset(group.users) == some(0, 1)

    world.emulator.refuse("usergroups.users.update", "fatal_error")
    assert type((await world.apply(resource, some(2)))[FEW[2]]) is TransientError
    assert frozenset(group.users) == some(0, 1)


async def test_a_group_that_others_switched_off_is_theirs_to_switch_on(world: Grouped) -> None:
    group, resource = world.group(some(0, 1))
    group.disabled, group.disabled_by = world.clock.now(), world.creator

    outcomes = await world.apply(resource, some(2), some(0))

    assert type(outcomes[FEW[2]]) is PermissionMissing
    assert outcomes[FEW[0]] is None
    assert group.users == [FEW[1]], "whoever must go is not back when it is switched on"
    assert group.disabled
    with pytest.raises(Refusal, match="switched off"):
        await world.adapter.check(resource)


@pytest.mark.parametrize("member", [Role.ADMIN, Role.MEMBER])
async def test_what_the_workspace_forbids_is_said_for_all(world: Grouped, member: Role) -> None:
    group, resource = world.group(some(0))
    world.club.preferences.manage_groups = member
    if member is Role.MEMBER:
        world.club.plan = Plan.FREE

    with pytest.raises(PermissionMissing, match="paid Slack plan" if member is Role.MEMBER else "owners and admins only"):
        await world.apply(resource, some(1))
    assert group.users == [FEW[0]]


async def test_a_deleted_group_is_missing(world: Grouped) -> None:
    _, resource = world.group(some(0))
    world.club.groups.clear()

    with pytest.raises(ResourceMissing):
        await world.apply(resource, some(1))
    with pytest.raises(Refusal, match="does not exist") as refusal:
        await world.adapter.check(resource)
    assert refusal.value.code == "user_group_missing"


async def test_a_sound_group_is_listed_and_passes_the_check(world: Grouped) -> None:
    _, resource = world.group(some(0))

    await world.adapter.check(resource)
    assert "Fans" in {label.name for label in await world.adapter.resources(world.space) if label.resource == resource}


PEOPLE = st.frozensets(st.sampled_from(FEW), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(theirs=PEOPLE, rounds=st.lists(st.tuples(PEOPLE, PEOPLE, PEOPLE), max_size=4), number=st.integers(0, 10**9))
async def test_whoever_others_put_in_stays_and_nobody_else_is_left(
    world: Grouped, theirs: Users, rounds: list[tuple[Users, Users, Users]], number: int
) -> None:
    """Against a model: after each round the group is what it was, with the grants and what others added, without the revokes."""
    group, resource = world.group(theirs, f"group-{number}-{len(world.club.groups)}")
    expected = theirs
    for grants, revokes, added in rounds:
        before = world.writes()
        outcomes = await world.apply(resource, grants, revokes)
        expected = (expected - revokes) | grants
        assert set(outcomes.values()) <= {None}
        assert outcomes.keys() == grants | revokes
        assert frozenset([user async for user in world.adapter.holders(resource)]) == expected
        assert world.writes() - before <= 2
        if added and not group.disabled:
            group.users = sorted(frozenset(group.users) | added)
            expected |= added


async def test_a_rush_of_looks_reads_the_groups_once(world: Grouped) -> None:
    rush = [PlatformUserId(f"URUSH{number:04}") for number in range(200)]
    for user in rush:
        world.lodge(user, world.club.general)
    _, resource = world.group(frozenset(rush[::2]))

    held = await asyncio.gather(*(world.adapter.holds(world.space, user) for user in rush))

    assert held == [frozenset({resource}), frozenset()] * 100
    assert world.emulator.rest.count("usergroups.list") == 1


async def test_a_look_after_our_own_change_sees_it(world: Grouped) -> None:
    _, resource = world.group(some(0))
    assert await world.adapter.holds(world.space, FEW[1]) == frozenset()
    await world.apply(resource, some(1), some(0))
    assert [await world.adapter.holds(world.space, user) for user in FEW[:2]] == [frozenset(), frozenset({resource})]


async def test_a_look_that_began_before_our_change_is_not_shown_after_it(world: Grouped) -> None:
    _, resource = world.group(some(0))
    lists = world.adapter._groups._list
    await lists.shared(world.space)
    async with asyncio.TaskGroup() as tasks:
        early = tasks.create_task(lists.fresh(world.space))
        await asyncio.sleep(0)
        lists.changing(world.space)
    assert early.result()
    before = world.emulator.rest.count("usergroups.list")
    assert await world.adapter.holds(world.space, FEW[0]) == frozenset({resource})
    assert world.emulator.rest.count("usergroups.list") == before + 1


async def test_what_others_change_by_hand_is_seen_when_the_read_is_a_quarter_of_a_minute_old(world: Grouped) -> None:
    group, resource = world.group(some(0))
    assert await world.adapter.holds(world.space, FEW[1]) == frozenset()
    group.users.append(FEW[1])
    world.clock.advance(SHARED)
    assert await world.adapter.holds(world.space, FEW[1]) == frozenset({resource})


async def test_a_read_that_failed_is_nobody_else_s_answer(world: Grouped) -> None:
    _, resource = world.group(some(0))
    world.emulator.refuse("usergroups.list", "fatal_error")
    first, second = await asyncio.gather(*(world.adapter.holds(world.space, FEW[0]) for _ in range(2)), return_exceptions=True)
    assert isinstance(first, TransientError)
    assert second == frozenset({resource})
