"""Giving and taking channels when Slack has something against it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.slack.endings import PURPOSE
from adapters.slack.spaces import NAME
from core.errors import MemberUnreachable, PermissionMissing, RateLimited, Refusal, TransientError
from core.ids import PlatformUserId
from core.platform import AdmissionOutcome, Admitted, Message, Person, ResourceKind
from sandbox.clock import VirtualClock
from sandbox.faults import Fault, FaultKind
from sandbox.slack import Plan, Role
from storage.credentials import CredentialStore
from tests.adapters.slack.emulated import Emulated


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[Emulated]:
    async with Emulated(clock).serving() as world:
        yield world


async def test_a_channel_we_were_removed_from_is_never_written_down_as_taken(world: Emulated) -> None:
    fan = world.insider("fan")
    await world.adapter.grant(world.resource, fan, reason="paid")
    world.host_in(world.rooms["gold"], world.ann)
    world.ann.remove_app(world.rooms["gold"])

    with pytest.raises(PermissionMissing, match="Invite the app"):
        await world.adapter.revoke(world.resource, fan, reason="ended")
    assert world.held(fan) == {world.resource}


async def test_a_public_channel_we_left_is_never_written_down_as_taken(world: Emulated) -> None:
    """There Slack says ``not_in_channel`` of us, in the word it has for the person."""
    fan = world.insider("fan")
    world.rooms["open"] = world.room("open", private=False)
    world.club.preferences.remove_from_public = Role.MEMBER
    sold = world.sold("open")
    await world.adapter.grant(sold, fan, reason="paid")
    world.host_in(world.rooms["open"], world.ann)
    world.ann.remove_app(world.rooms["open"])

    with pytest.raises(PermissionMissing, match="not in that channel"):
        await world.adapter.revoke(sold, fan, reason="ended")
    with pytest.raises(PermissionMissing):
        await world.adapter.grant(sold, world.insider("late"), reason="paid")


async def test_a_refusal_to_remove_people_says_what_to_change_and_is_tried_again_within_the_hour(world: Emulated) -> None:
    fan = world.insider("fan")
    await world.adapter.grant(world.resource, fan, reason="paid")
    await world.put_out_of_reach(world.resource)

    with pytest.raises(PermissionMissing, match="let everyone remove members from private channels"):
        await world.adapter.revoke(world.resource, fan, reason="ended")
    assert any("removed by hand" in finding for finding in await world.adapter.findings(world.space))
    await world.adapter.check(world.other)

    world.club.preferences.remove_from_private = Role.MEMBER
    world.clock.advance(timedelta(hours=1))
    await world.adapter.check(world.resource)
    await world.adapter.revoke(world.resource, fan, reason="ended")
    assert list(await world.adapter.findings(world.space)) == []


@pytest.mark.parametrize("happened", [True, False])
async def test_an_answer_that_leaves_open_what_happened_is_settled_by_looking(world: Emulated, happened: bool) -> None:  # noqa: FBT001
    fan = world.insider("fan")
    for method, deed in (("conversations.invite", world.adapter.grant), ("conversations.kick", world.adapter.revoke)):
        world.emulator.refuse(method, "fatal_error", after=happened)
        if happened:
            await deed(world.resource, fan, reason="once")
            continue
        with pytest.raises(TransientError, match="fatal_error"):
            await deed(world.resource, fan, reason="once")
        await deed(world.resource, fan, reason="twice")
    assert world.held(fan) == frozenset()


async def test_the_channel_of_everybody_and_a_conversation_cannot_be_sold(world: Emulated) -> None:
    world.rooms["general"] = world.club.general
    world.ann.add_app(world.club.general)

    with pytest.raises(Refusal) as refusal:
        await world.adapter.check(world.sold("general"))

    assert refusal.value.code == "general_channel"


async def test_a_channel_we_are_not_in_says_how_to_let_us_in(world: Emulated) -> None:
    world.host_in(world.rooms["gold"], world.ann)
    world.ann.remove_app(world.rooms["gold"])

    with pytest.raises(Refusal, match="/invite") as refusal:
        await world.adapter.check(world.resource)
    assert refusal.value.code == "channel_missing"


async def test_a_channel_anybody_can_walk_into_is_no_paid_door_until_it_is_private(world: Emulated) -> None:
    world.rooms["open"] = world.room("open", private=False)
    fan = world.insider("fan")
    world.people[fan].join_channel(world.rooms["open"])

    with pytest.raises(Refusal, match="Anybody in the workspace can read #open and come back into it") as refusal:
        await world.adapter.check(world.sold("open"))
    assert refusal.value.code == "public_channel"

    world.rooms["open"].private = True
    await world.adapter.check(world.sold("open"))


async def test_holders_are_read_page_by_page_and_never_us(world: Emulated) -> None:
    crowd = {PlatformUserId(f"U{number:06}") for number in range(2100)}
    for user in crowd:
        world.lodge(user, world.rooms["gold"])

    assert {user async for user in world.adapter.holders(world.resource)} == crowd
    assert world.emulator.rest.count("conversations.members") == 3


async def test_a_short_wait_is_waited_and_a_long_one_is_told(world: Emulated) -> None:
    fan = world.insider("fan")
    faults = world.emulator.wire.faults
    faults.add(Fault("slack", FaultKind.RATE_LIMITED, "conversations.invite", retry_after=1))
    await world.adapter.grant(world.resource, fan, reason="paid")
    assert world.held(fan) == {world.resource}

    faults.add(Fault("slack", FaultKind.RATE_LIMITED, "conversations.kick", retry_after=90))
    with pytest.raises(RateLimited) as told:
        await world.adapter.revoke(world.resource, fan, reason="ended")
    assert told.value.retry_after == 90


async def test_a_connection_that_broke_is_tried_once_more_but_a_message_is_not_said_twice(world: Emulated) -> None:
    fan = world.insider("fan")
    faults = world.emulator.wire.faults
    faults.add(Fault("slack", FaultKind.TIMEOUT_AFTER, "conversations.invite"))
    await world.adapter.grant(world.resource, fan, reason="paid")
    assert world.emulator.rest.count("conversations.invite") == 2

    faults.add(Fault("slack", FaultKind.TIMEOUT_AFTER, "chat.postMessage"))
    with pytest.raises(TransientError):
        await world.adapter.send(Person(world.space, fan), Message("Once", ()))
    assert len(world.inbox(fan)) == 1


async def test_where_the_operator_allows_it_the_account_is_ended_when_nothing_else_goes(clock: VirtualClock) -> None:
    world = Emulated(clock, plan=Plan.BUSINESS)
    token = world.emulator.people.user_token(world.ann, world.club, "admin")
    fan, boss = world.insider("fan"), world.insider("boss")
    world.people[boss].user(world.club).role = Role.ADMIN
    async with world.serving(scim_token=token):
        for user in (fan, boss):
            await world.adapter.grant(world.resource, user, reason="paid")
        await world.put_out_of_reach(world.resource)

        await world.adapter.revoke(world.resource, fan, reason="ended")
        with pytest.raises(PermissionMissing):
            await world.adapter.revoke(world.resource, boss, reason="ended")

    assert not world.inside(fan)
    assert world.inside(boss)


async def test_an_account_we_ended_is_brought_back_and_one_that_others_ended_since_is_not(
    clock: VirtualClock, store: CredentialStore
) -> None:
    world = Emulated(clock, plan=Plan.ENTERPRISE, credentials=store)
    token = world.emulator.people.user_token(world.ann, world.club, "admin")
    fan = world.insider("fan")
    async with world.serving(scim_token=token):
        await world.adapter.grant(world.resource, fan, reason="paid")
        await world.put_out_of_reach(world.resource)
        await world.adapter.revoke(world.resource, fan, reason="ended")
        assert not world.inside(fan)
        assert await world.adapter.holds(world.space, fan) is None

        clock.advance(timedelta(days=40))
        admitted = await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")
        assert admitted == Admitted(AdmissionOutcome.ADMITTED)
        assert world.inside(fan)

        world.ban(fan)
        with pytest.raises(MemberUnreachable, match="deactivated"):
            await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")
        await store.put(NAME, f"{world.space.realm}:{fan}", PURPOSE, (clock.now() - timedelta(days=1)).isoformat(), None)
        with pytest.raises(MemberUnreachable, match="deactivated"):
            await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")
    assert not world.inside(fan)


async def test_nobody_loses_more_than_the_channel_unless_the_operator_allows_it(world: Emulated) -> None:
    fan = world.insider("fan")
    await world.adapter.grant(world.resource, fan, reason="paid")
    await world.put_out_of_reach(world.resource)

    with pytest.raises(PermissionMissing):
        await world.adapter.revoke(world.resource, fan, reason="ended")

    assert world.inside(fan)
    assert world.resource.kind is ResourceKind.CHANNEL


async def test_an_organisation_s_token_invites_by_e_mail_straight_into_the_channel(clock: VirtualClock) -> None:
    world = Emulated(clock)
    host = next(person for person in [world.emulator.people.find("host")] if person)
    token = world.emulator.people.user_token(host, world.lobby, "admin.users:write", "users:read", "users:read.email")
    fan = world.outsider("fan")
    async with world.serving(admin_token=token):
        for _ in range(2):
            await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")

    world.people[fan].accept_invitation(world.club)
    assert world.held(fan) == {world.resource}


async def test_only_an_address_that_slack_has_confirmed_is_somebody_s_own(world: Emulated) -> None:
    fan, typed, guest = world.insider("fan"), world.insider("typed"), world.insider("guest")
    world.people[typed].account.email_verified = False
    world.people[guest].user(world.club).role = Role.GUEST

    assert [await world.adapter.verified_email(world.space, user) for user in (fan, typed, guest)] == ["fan@example.org", "", ""]
