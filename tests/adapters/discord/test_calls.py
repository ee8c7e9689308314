"""What goes out: at a pace Discord bears, never again and again where it is refused, with a reason, and past every hiccup."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.discord import build, rest
from adapters.discord.breaker import LIMIT
from adapters.discord.pacing import EVERYTHING
from adapters.discord.rest import fitting
from core.boundary import inside_transaction
from core.errors import PermanentError, PermissionMissing, RateLimited, Refusal, TransientError
from core.ids import RandomIds
from core.platform import AdmissionOutcome, Channel, EventKind, Message, Person, ResourceKind
from sandbox.clock import VirtualClock
from sandbox.discord import permissions
from sandbox.discord.channels import Overwrite
from sandbox.faults import Fault, FaultKind
from tests.adapters.contract import REDIRECT
from tests.adapters.discord.emulated import ALLOWED, Emulated, settings_for


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[Emulated]:
    async with Emulated(clock).connected() as emulated:
        yield emulated


# reasons


@given(st.text(max_size=700))
def test_a_reason_always_fits_the_audit_log(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        text = ""
    sent = quote(fitting(text), safe="/ ")

    assert len(sent) <= 512
    assert "\n" not in sent


async def test_the_reason_is_in_the_audit_log(world: Emulated) -> None:
    fan = world.insider("fan")

    await world.adapter.grant(world.resource, fan, reason="Gold: paid üntil 2 December")

    assert world.server.audit_log()[-1].reason == "Gold: paid üntil 2 December"


# pace


async def test_many_grants_at_once_are_never_told_off(clock: VirtualClock) -> None:
    emulated = Emulated(clock, limits="real")
    emulated.emulator.limits.buckets["member-roles"] = (1000, 1.0)
    emulated.emulator.limits.buckets["default"] = (1000, 1.0)
    async with emulated.connected() as world:
        fans = [world.insider(f"fan{number}") for number in range(60)]

        await asyncio.gather(*(world.adapter.grant(world.resource, fan, reason="paid") for fan in fans))

        assert all(world.held(fan) == {world.resource} for fan in fans)
        assert world.calls("PUT", "/roles/", 204) == 60
        assert world.calls("PUT", "/roles/") == 60


async def test_a_bucket_told_to_wait_waits_and_then_all_is_done(clock: VirtualClock) -> None:
    emulated = Emulated(clock, limits="real")
    emulated.emulator.limits.buckets["member-roles"] = (4, 0.3)
    async with emulated.connected() as world:
        fans = [world.insider(f"fan{number}") for number in range(12)]

        await asyncio.gather(*(world.adapter.grant(world.resource, fan, reason="paid") for fan in fans))

        assert all(world.held(fan) == {world.resource} for fan in fans)


async def test_who_comes_after_someone_told_to_wait_waits_too_and_other_buckets_do_not(world: Emulated) -> None:
    first, second = world.insider("first"), world.insider("second")
    await world.adapter.grant(world.resource, world.insider("before"), reason="paid")  # now discord.py knows that more may go at once
    world.emulator.wire.faults.add(Fault("discord", FaultKind.RATE_LIMITED, "PUT .*/roles/", retry_after=0.5))

    async def later() -> None:
        async with asyncio.timeout(5):
            while not world.adapter._rest._pacer._paused_until:  # noqa: ASYNC110 - until our side has heard of it
                await asyncio.sleep(0)
        await asyncio.gather(
            world.adapter.grant(world.resource, second, reason="paid"), world.adapter.send(Person(world.space, first), Message("Hello", ()))
        )

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.adapter.grant(world.resource, first, reason="paid"))
        tasks.create_task(later())
    heard = [(one.method, one.status, at) for one, at in zip(world.heard.exchanges, world.heard.moments, strict=True)]
    (told,) = [at for method, status, at in heard if (method, status) == ("PUT", 429)]
    granted = [at - told for method, status, at in heard if (method, status) == ("PUT", 204) and at > told]

    assert len(granted) == 2
    assert min(granted) >= 0.45
    assert min(at - told for method, status, at in heard if method == "POST" and at > told) < 0.45


async def test_a_call_that_could_not_even_leave_is_told_to_wait_not_that_it_failed(
    world: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "CALL_SECONDS", 0.2)
    fan = world.insider("fan")
    await world.adapter.holds(world.space, fan)
    world.adapter._rest._pacer.pause(EVERYTHING, 5)

    with pytest.raises(RateLimited, match="no room just now"):
        await world.adapter.grant(world.resource, fan, reason="paid")

    assert world.held(fan) == frozenset()


async def test_a_long_wait_is_handed_up_instead_of_slept_through(world: Emulated) -> None:
    fan = world.insider("fan")
    world.emulator.wire.faults.add(Fault("discord", FaultKind.RATE_LIMITED, "PUT .*/roles/", retry_after=120.0))

    with pytest.raises(RateLimited) as told:
        await world.adapter.grant(world.resource, fan, reason="paid")

    assert told.value.retry_after == pytest.approx(120.0, abs=2)


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER])
async def test_a_lost_answer_is_transient_and_repeating_is_safe(world: Emulated, kind: FaultKind) -> None:
    fan = world.insider("fan")
    # twice, since aiohttp itself sends an idempotent call once more when a kept connection breaks
    world.emulator.wire.faults.add(Fault("discord", kind, "PUT .*/roles/", times=2))

    with pytest.raises(TransientError):
        await world.adapter.grant(world.resource, fan, reason="paid")
    await world.adapter.grant(world.resource, fan, reason="paid")

    assert world.held(fan) == {world.resource}


async def test_no_call_leaves_from_inside_a_transaction(world: Emulated) -> None:
    token = inside_transaction.set(True)
    try:
        with pytest.raises(RuntimeError, match="inside a database transaction"):
            await world.adapter.holds(world.space, world.creator)
        with pytest.raises(RuntimeError, match="inside a database transaction"):
            await world.adapter.exchange("code", "http://127.0.0.1:1/oauth/callback")
    finally:
        inside_transaction.reset(token)


async def test_after_closing_calls_are_left_for_later(clock: VirtualClock) -> None:
    async with Emulated(clock).connected() as world:
        await world.adapter.close()

        with pytest.raises(TransientError, match="shutting down"):
            await world.adapter.holds(world.space, world.creator)
        with pytest.raises(TransientError, match="shutting down"):
            await world.adapter.exchange("code", "http://127.0.0.1:1/oauth/callback")


async def test_calls_work_without_ever_connecting(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        fan = world.insider("fan")

        await asyncio.gather(*(world.adapter.grant(world.resource, fan, reason="paid") for _ in range(5)))

        assert world.held(fan) == {world.resource}
        assert not world.adapter.connected


async def test_before_it_is_in_any_server_it_says_who_it_is_and_how_to_add_it(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        said = await world.adapter.identify()

        assert said.startswith("Signed in as ")
        assert f"client_id={world.served.client_id}" in said


async def test_a_token_that_is_refused_is_said_with_where_to_find_the_right_one(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        settings = settings_for(world.served).model_copy(update={"token": SecretStr("canary")})
        adapter = build(settings, clock=clock, ids=RandomIds())

        with pytest.raises(PermanentError, match="Put the one from the Developer Portal into DISCORD_TOKEN") as refused:
            await adapter.identify()
        await adapter.close()

        assert "canary" not in str(refused.value)


# refusals


async def refusals(world: Emulated, times: int) -> list[str]:
    codes = []
    fans = [world.insider(f"fan{number}") for number in range(times)]
    for fan in fans:
        with pytest.raises(PermissionMissing) as refused:
            await world.adapter.grant(world.resource, fan, reason="paid")
        codes.append(refused.value.code)
    return codes


async def test_a_role_that_cannot_be_given_is_not_tried_for_each_member(clock: VirtualClock) -> None:
    async with Emulated(clock).connected() as world:
        await world.put_out_of_reach(world.resource)

        codes = await refusals(world, LIMIT + 20)

        assert codes == ["role_above_bot"] * (LIMIT + 20)
        assert world.calls("PUT", "/roles/", 403) == LIMIT
        fan = world.insider("another")
        await world.adapter.grant(world.other, fan, reason="paid")
        assert world.held(fan) == {world.other}


async def test_a_change_of_the_roles_is_tried_at_once(world: Emulated) -> None:
    await world.put_out_of_reach(world.resource)
    await refusals(world, LIMIT + 1)
    fan = world.insider("fan")

    world.server.raise_bot()
    await world.inbound.until(lambda: world.inbound.kinds().count(EventKind.RESOURCES_CHANGED) >= 2)
    await world.adapter.grant(world.resource, fan, reason="paid")

    assert world.held(fan) == {world.resource}


async def test_a_successful_check_lets_calls_through_again_without_a_gateway(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        role = world.server.guild.roles[int(world.resource.external_id)]
        world.server.move_role(role, len(world.server.guild.roles) - 1)
        await refusals(world, LIMIT)
        world.server.raise_bot()
        fan = world.insider("fan")
        with pytest.raises(PermissionMissing):
            await world.adapter.grant(world.resource, fan, reason="paid")

        await world.adapter.check(world.resource)
        await world.adapter.grant(world.resource, fan, reason="paid")

        assert world.held(fan) == {world.resource}


async def test_a_channel_closed_to_us_says_what_it_needs(world: Emulated) -> None:
    hidden = world.server.add_channel("hidden")
    everyone = world.server.guild.id
    hidden.overwrites[everyone] = Overwrite(everyone, 0, deny=permissions.VIEW_CHANNEL)

    with pytest.raises(PermissionMissing, match="View Channel and Send Messages"):
        await world.adapter.send(Channel(world.space, str(hidden.id)), Message("Notice", ()))


async def test_a_list_that_is_not_allowed_is_not_taken_for_a_removal(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        world.emulator.bot_members_intent = False

        with pytest.raises(PermissionMissing, match="Server Members Intent"):
            await anext(aiter(world.adapter.holders(world.resource)))


async def test_a_long_list_of_holders_is_read_to_its_end(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        fans = [world.insider(f"fan{number}") for number in range(1005)]
        for fan in fans:
            world.give(fan, world.resource)

        assert [user async for user in world.adapter.holders(world.resource)] == sorted(fans, key=int)


async def test_a_role_of_a_server_we_were_removed_from_is_not_for_sale_until_we_are_added_again(clock: VirtualClock) -> None:
    async with Emulated(clock).connected() as world:
        await world.remove_us()

        with pytest.raises(Refusal, match=r"I am not in that server any more\. Add me to it again\.") as refused:
            await world.adapter.check(world.resource)

        assert refused.value.code == "not_in_server"


async def test_only_roles_are_for_sale_on_discord(world: Emulated) -> None:
    with pytest.raises(Refusal, match="Pick a role") as refusal:
        await world.adapter.check(replace(world.resource, kind=ResourceKind.CHANNEL))

    assert refusal.value.code == "not_a_role"


# letting in


async def test_an_invite_of_a_bot_that_manages_the_server_is_bound_to_the_payer_and_carries_the_role(clock: VirtualClock) -> None:
    async with Emulated(clock, allowed=ALLOWED | permissions.MANAGE_GUILD).connected() as world:
        fan, thief = world.outsider("fan"), world.outsider("thief")

        admitted = await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")

        assert (admitted.outcome, admitted.carries) == (AdmissionOutcome.INVITED, True)
        assert not await world.accept(thief, admitted.invite_url)
        assert await world.accept(fan, admitted.invite_url)
        assert world.held(fan) == {world.resource}


async def test_an_invite_that_may_not_be_withdrawn_says_so(world: Emulated) -> None:
    fan = world.outsider("fan")
    admitted = await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")
    with pytest.raises(PermissionMissing):
        await world.adapter.withdraw(world.space, admitted.invite_url, reason="ended")
    assert await world.accept(fan, admitted.invite_url)


async def test_an_invite_for_whoever_comes_first_carries_no_role(world: Emulated) -> None:
    fan = world.outsider("fan")

    admitted = await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")
    await world.accept(fan, admitted.invite_url)

    assert not admitted.carries
    assert world.inside(fan)
    assert world.held(fan) == frozenset()


async def test_an_invite_lives_a_week_and_leads_to_the_site(world: Emulated) -> None:
    admitted = await world.adapter.admit(world.space, world.outsider("fan"), None, [], reason="paid")

    code = admitted.invite_url.rsplit("/", 1)[1]
    assert world.emulator.model.invites[code].terms.max_age == 7 * 24 * 3600
    assert world.emulator.model.invites[code].terms.max_uses == 1
    assert admitted.invite_url == f"{world.served.base_url}/invite/{code}"


async def test_without_the_right_to_invite_the_creator_is_told_which_one_is_missing(clock: VirtualClock) -> None:
    async with Emulated(clock, allowed=permissions.MANAGE_ROLES).connected() as world:
        everyone = world.server.guild.roles[world.server.guild.id]
        world.server.change_role(everyone, permissions=everyone.permissions & ~permissions.CREATE_INSTANT_INVITE)
        await world.inbound.event(EventKind.RESOURCES_CHANGED)

        for token in (None, (await world.adapter.exchange(await world.sign_in(fan := world.outsider("fan")), REDIRECT)).token):
            with pytest.raises(PermissionMissing, match="Create Invite") as refused:
                await world.adapter.admit(world.space, fan if token else world.outsider("other"), token, [], reason="paid")
            assert refused.value.code == "missing_permission"
        assert any("Create Invite" in finding for finding in await world.adapter.findings(world.space))


async def test_payers_of_a_server_that_lets_nobody_in_do_not_get_us_banned(clock: VirtualClock) -> None:
    async with Emulated(clock, allowed=permissions.MANAGE_ROLES).connected() as world:
        everyone = world.server.guild.roles[world.server.guild.id]
        world.server.change_role(everyone, permissions=everyone.permissions & ~permissions.CREATE_INSTANT_INVITE)
        await world.inbound.event(EventKind.RESOURCES_CHANGED)

        for number in range(LIMIT + 10):
            with pytest.raises(PermissionMissing, match="Create Invite"):
                await world.adapter.admit(world.space, world.outsider(f"fan{number}"), None, [], reason="paid")

        assert world.calls("POST", "/invites", 403) == LIMIT


async def test_a_direct_conversation_is_opened_once(world: Emulated) -> None:
    fan = world.insider("fan")

    for number in range(3):
        await world.adapter.send(Person(world.space, fan), Message(f"Message {number}", ()))

    assert len(world.inbox(fan)) == 3
    assert world.calls("POST", "/users/@me/channels") == 1


# several bots in one process


async def test_two_adapters_for_two_places_do_not_disturb_each_other(clock: VirtualClock) -> None:
    async with Emulated(clock).connected() as one, Emulated(clock).connected() as two:
        fan, other = one.insider("fan"), two.insider("fan")

        await one.adapter.grant(one.resource, fan, reason="paid")
        await two.adapter.grant(two.resource, other, reason="paid")

        assert (one.held(fan), two.held(other)) == (frozenset({one.resource}), frozenset({two.resource}))
        assert Route.BASE == "https://discord.com/api/v10"
        assert str(DiscordWebSocket.DEFAULT_GATEWAY) == "wss://gateway.discord.gg/"
