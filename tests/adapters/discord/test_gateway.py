"""The connection comes back by itself, says what the operator must do, and nothing depends on it that need not."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from adapters.discord import build
from adapters.discord.supervisor import INTENT_REFUSED
from core.errors import PermanentError, PermissionMissing
from core.ids import RandomIds
from core.platform import EventKind
from sandbox.clock import VirtualClock
from sandbox.discord import members
from tests.adapters.discord.emulated import Emulated, settings_for


@asynccontextmanager
async def impatient(clock: VirtualClock) -> AsyncIterator[None]:
    """Let the sandbox's time run on, so that every back-off is over at once."""

    async def run() -> None:
        while True:
            clock.advance(timedelta(seconds=30))
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run())
        yield
        running.cancel()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - the library tells nobody when it is through
            await asyncio.sleep(0.01)


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[Emulated]:
    async with Emulated(clock).connected() as emulated:
        yield emulated


async def test_starting_returns_at_once_although_nothing_answers(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        world.emulator.gateway.refusing = True

        async with asyncio.timeout(1):
            await world.adapter.start(world.inbound)

        assert not world.adapter.connected


async def test_a_first_connection_that_fails_is_tried_again(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        world.emulator.gateway.refusing = True
        await world.adapter.start(world.inbound)
        async with impatient(clock):
            await asyncio.sleep(0.1)
            assert not world.adapter.connected
            world.emulator.gateway.refusing = False

            await world.inbound.event(EventKind.SPACE_ADDED)
            await until(lambda: world.adapter.connected)


async def test_a_login_during_an_outage_is_tried_again(clock: VirtualClock) -> None:
    async with Emulated(clock).serving() as world:
        with world.outage():
            await world.adapter.start(world.inbound)
            await asyncio.sleep(0.1)
        async with impatient(clock):
            await world.inbound.event(EventKind.SPACE_ADDED)


async def test_one_payload_that_cannot_be_read_ends_nothing(world: Emulated, clock: VirtualClock) -> None:
    world.emulator.gateway.garble()
    async with impatient(clock):
        await until(lambda: not world.adapter.connected)
        await until(lambda: world.adapter.connected)
        fan = world.outsider("fan")
        await world.join(fan)

        await world.inbound.event(EventKind.MEMBER_JOINED, fan)


async def test_a_cut_connection_resumes_and_misses_nothing(world: Emulated) -> None:
    fan = world.outsider("fan")
    world.emulator.gateway.drop_all()
    await world.join(fan)

    await world.inbound.event(EventKind.MEMBER_JOINED, fan)
    assert world.inbound.kinds().count(EventKind.SPACE_ADDED) == 1


async def test_an_invalid_session_begins_a_new_one(world: Emulated, clock: VirtualClock) -> None:
    world.emulator.gateway.invalidate()
    async with impatient(clock):
        await world.inbound.until(lambda: world.inbound.kinds().count(EventKind.SPACE_ADDED) == 2)


async def test_roles_are_given_while_the_gateway_is_down(world: Emulated) -> None:
    fan = world.insider("fan")
    world.emulator.gateway.refusing = True
    await world.emulator.gateway.close_all(1000)
    await until(lambda: not world.adapter.connected)

    await world.adapter.grant(world.resource, fan, reason="paid")

    assert world.held(fan) == {world.resource}


async def test_a_dangerous_role_is_not_given_while_the_gateway_is_down_either(world: Emulated) -> None:
    fan = world.insider("fan")
    world.emulator.gateway.refusing = True
    await world.emulator.gateway.close_all(1000)
    await until(lambda: not world.adapter.connected)
    role = world.server.guild.roles[int(world.resource.external_id)]
    world.server.change_role(role, permissions=1 << 3)

    with pytest.raises(PermissionMissing) as refused:
        await world.adapter.grant(world.resource, fan, reason="paid")

    assert refused.value.code == "dangerous_role"
    assert world.held(fan) == frozenset()


async def test_a_refused_intent_is_said_once_and_done_without(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    async with Emulated(clock).serving() as world:
        world.emulator.bot_members_intent = False
        await world.adapter.start(world.inbound)
        async with impatient(clock):
            await world.inbound.event(EventKind.SPACE_ADDED)

        assert [record.getMessage() for record in caplog.records].count(INTENT_REFUSED) == 1
        assert INTENT_REFUSED in await world.adapter.findings(world.space)
        with pytest.raises(PermissionMissing, match="Server Members Intent"):
            await anext(aiter(world.adapter.holders(world.resource)))


async def test_without_the_intent_commands_and_spaces_still_come_in(clock: VirtualClock) -> None:
    async with Emulated(clock).connected(members_intent=False) as world:
        fan = world.outsider("fan")
        await world.join(fan)
        await world.adapter.grant(world.resource, fan, reason="paid")

        assert world.held(fan) == {world.resource}
        assert EventKind.MEMBER_JOINED not in world.inbound.kinds()


async def test_a_wrong_token_says_which_setting_and_is_not_hammered(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    async with Emulated(clock).serving() as world:
        settings = settings_for(world.served).model_copy(update={"token": type(settings_for(world.served).token)("wrong")})
        adapter = build(settings, clock=clock, ids=RandomIds())
        try:
            await adapter.start(world.inbound)
            await until(lambda: "DISCORD_TOKEN" in caplog.text)
            clock.advance(timedelta(minutes=30))
            await asyncio.sleep(0.05)

            assert caplog.text.count("DISCORD_TOKEN") <= 2
            assert not adapter.connected
            with pytest.raises(PermanentError, match="DISCORD_TOKEN"):
                await adapter.display(world.creator)
            for _ in range(20):
                with pytest.raises(PermanentError, match="DISCORD_TOKEN"):
                    await adapter.grant(world.resource, world.creator, reason="paid")
            assert world.calls("GET", "/users/@me", 401) <= 8
        finally:
            await adapter.close()


async def test_an_outage_of_a_server_is_not_a_removal(world: Emulated) -> None:
    world.server.set_available(available=False)
    world.server.set_available(available=True)
    await world.inbound.until(lambda: world.inbound.kinds().count(EventKind.SPACE_ADDED) == 2)

    assert EventKind.SPACE_REMOVED not in world.inbound.kinds()


async def test_a_removal_nobody_heard_of_is_noticed_at_the_next_connection(world: Emulated, clock: VirtualClock) -> None:
    world.emulator.gateway.refusing = True
    await world.emulator.gateway.close_all(1000)
    await until(lambda: not world.adapter.connected)
    world.server.kick_bot()
    world.emulator.gateway.refusing = False
    async with impatient(clock):
        event = await world.inbound.event(EventKind.SPACE_REMOVED)

    assert event.space == world.space


async def test_a_new_role_of_the_bots_own_is_a_change(world: Emulated) -> None:
    helpers = world.server.add_role("Helpers")
    await world.inbound.event(EventKind.RESOURCES_CHANGED)
    before = world.inbound.kinds().count(EventKind.RESOURCES_CHANGED)

    members.give_role(world.emulator.model, world.server.guild, world.ann.id, world.emulator.model.bot.id, helpers.id)

    await world.inbound.until(lambda: world.inbound.kinds().count(EventKind.RESOURCES_CHANGED) > before)


async def test_a_join_is_heard_even_of_someone_whose_leaving_was_not(world: Emulated) -> None:
    fan = world.outsider("fan")
    await world.join(fan)
    await world.inbound.event(EventKind.MEMBER_JOINED, fan)
    guild = world.server.guild
    again = {**guild.members[int(fan)].payload(), "guild_id": str(guild.id)}

    world.emulator.model.hub.publish("GUILD_MEMBER_ADD", again, guild.id)

    await world.inbound.until(lambda: world.inbound.kinds(fan) == [EventKind.MEMBER_JOINED] * 2)


async def test_moving_roles_about_is_one_change_or_two_not_one_for_each(world: Emulated) -> None:
    for number in range(10):
        world.server.add_role(f"Role {number}")
    world.server.raise_bot()
    await world.inbound.event(EventKind.RESOURCES_CHANGED)
    await asyncio.sleep(0.5)

    assert world.inbound.kinds().count(EventKind.RESOURCES_CHANGED) <= 2


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 6, 8])
async def test_a_stop_that_is_interrupted_is_finished_by_closing(clock: VirtualClock, steps: int) -> None:
    before = set(threading.enumerate())
    async with Emulated(clock).connected() as world:
        threads = {thread for thread in set(threading.enumerate()) - before if "keep-alive" in thread.name}
        assert threads
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(world.adapter.stop_listening())
            for _ in range(steps):
                await asyncio.sleep(0)
            stopping.cancel()
        await world.adapter.close()
        assert not world.adapter.connected
        for thread in threads:
            await asyncio.to_thread(thread.join, 3)
        assert not any(thread.is_alive() for thread in threads)


async def test_closing_leaves_no_task_behind(clock: VirtualClock) -> None:
    before = asyncio.all_tasks()
    async with Emulated(clock).connected() as world:
        served = {task for task in asyncio.all_tasks() if "aiohttp" in repr(task.get_coro()) or "sandbox" in repr(task.get_coro())}
        await world.adapter.close()
        await until(lambda: not asyncio.all_tasks() - before - served)
        assert not world.adapter.connected
