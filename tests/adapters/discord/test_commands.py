"""A command is stored before it is acknowledged, and answered whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import discord
import pytest

from adapters.discord.answers import Answers
from adapters.discord.inbound import NOT_STORED, UNKNOWN_COMMAND
from adapters.discord.registration import payload, register
from adapters.discord.tokenless import Tokenless
from core.commands import Audience, CommandKind, CommandReply, CommandRequest, CommandSpec, Option, OptionKind, ReplyHandle
from core.errors import TransientError
from core.ids import PlatformName, PlatformUserId
from sandbox.clock import VirtualClock
from sandbox.discord.interactions import DEFER
from tests.adapters.contract import COMMANDS, replying
from tests.adapters.discord.emulated import Emulated


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[Emulated]:
    async with Emulated(clock).connected() as emulated:
        yield emulated


async def test_private_answers_are_seen_by_the_asker_alone_and_others_by_all(world: Emulated) -> None:
    fan = world.insider("fan")

    await world.ask(fan, "status", replying(world, "Nothing yet"))
    assert world.last is not None
    assert world.last.ephemeral
    await world.ask(fan, "tip", replying(world, "Thanked"), to=world.creator)

    assert not world.last.ephemeral


async def test_nothing_is_acknowledged_before_it_is_stored(world: Emulated) -> None:
    world.inbound.slow = asyncio.Event()
    fan = world.people[world.insider("fan")]

    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(fan.command(world.server, "status"))
        await world.until(lambda: bool(world.emulator.model.interactions))
        await asyncio.sleep(0.05)
        (interaction,) = world.emulator.model.interactions.values()
        assert interaction.answer is None

        world.inbound.slow.set()
        await world.until(lambda: interaction.answer == DEFER)
        await world.adapter.reply((await world.inbound.request()).handle, CommandReply("Here", ()))
        assert "Here" in (await asked).words


async def test_a_command_that_cannot_be_stored_is_answered_kindly(world: Emulated, caplog: pytest.LogCaptureFixture) -> None:
    world.inbound.failing = True
    fan = world.people[world.insider("fan")]

    reply = await fan.command(world.server, "status")

    assert reply.text == NOT_STORED
    assert reply.ephemeral
    async with asyncio.timeout(5):
        while "the disk is full" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.01)


async def test_an_answer_faster_than_the_acknowledgement_waits_for_it(world: Emulated) -> None:
    world.emulator.wire.latency = 0.05

    async def at_once(request: CommandRequest) -> None:
        await world.adapter.reply(request.handle, CommandReply("Quick", ()))

    fan = world.insider("fan")

    assert "Quick" in await world.ask(fan, "status", at_once)
    assert world.inbox(fan) == []


class Slow(Tokenless):
    """Records calls in the order they end; the acknowledgement takes until ``let_go``."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1/api/v10")
        self.ended: list[str] = []
        self.let_go = asyncio.Event()

    async def call(self, method: str, path: str, **_body: object) -> None:
        if path.endswith("/callback"):
            await self.let_go.wait()
        self.ended.append(method)


async def test_an_answer_waits_for_an_acknowledgement_under_way(clock: VirtualClock) -> None:
    tokenless = Slow()
    answers = Answers(tokenless, clock)
    interaction = cast("discord.Interaction", SimpleNamespace(id=1, token="t"))
    data = {"application": "2", "token": "t"}
    handle = ReplyHandle(PlatformName("discord"), data, clock.now() + timedelta(minutes=15), PlatformUserId("3"))

    async def acknowledge() -> None:
        async with answers.acknowledging(interaction):
            await answers.defer(interaction, private=True)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(acknowledge())
        await asyncio.sleep(0)
        tasks.create_task(answers.reply(handle, CommandReply("Quick", ())))
        await asyncio.sleep(0)
        tokenless.let_go.set()

    assert tokenless.ended == ["POST", "PATCH"]


async def test_an_answer_from_elsewhere_before_the_acknowledgement_is_tried_again(world: Emulated) -> None:
    fan = world.insider("fan")
    await world.ask(fan, "status", replying(world, "First"))
    handle = (await world.inbound.request()).handle
    unknown = replace(handle, data={**handle.data, "token": "of an interaction Discord does not know yet"})

    with pytest.raises(TransientError, match="not acknowledged yet"):
        await world.adapter.reply(unknown, CommandReply("Quick", ()))
    world.clock.advance(timedelta(seconds=11))
    await world.adapter.reply(unknown, CommandReply("By message then", ()))

    assert "By message then" in world.inbox(fan)[-1]


async def test_a_command_we_no_longer_have_is_answered_with_what_to_do(world: Emulated) -> None:
    world.inbound.commands = ()
    fan = world.people[world.insider("fan")]

    reply = await fan.command(world.server, "status")

    assert reply.text == UNKNOWN_COMMAND
    assert world.inbound.requests == []


async def test_whoever_may_manage_the_server_may_manage_and_its_owner_too(world: Emulated) -> None:
    fan = world.insider("fan")
    mods = world.server.add_role("Mods", permissions=1 << 5)
    world.server.give_role(world.people[fan], mods)

    await world.ask(fan, "status", replying(world, "x"))
    assert (await world.inbound.request()).can_manage
    await world.ask(world.creator, "status", replying(world, "x"))
    assert (await world.inbound.request()).can_manage


async def test_menu_commands_name_their_target(clock: VirtualClock) -> None:
    emulated = Emulated(clock)
    emulated.inbound.commands = (*COMMANDS, CommandSpec(("Comp", "a", "month"), "Give a month", kind=CommandKind.USER_MENU))
    async with emulated.connected() as world:
        fan = world.insider("fan")
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(world.ann.use_on_person(world.server, "Comp a month", world.people[fan]))
            request = await world.inbound.request()
            await world.adapter.reply(request.handle, CommandReply("Done", ()))

        assert "Done" in asked.result().words
        assert request.options == {"target": fan}
        assert request.labels[fan].lower() == "fan"


# registration


def test_words_become_groups_and_required_options_come_first() -> None:
    tree = {command["name"]: command for command in payload(COMMANDS)}

    assert set(tree) == {"doorman", "tip", "status"}
    plan, setup = tree["doorman"]["options"]
    assert (plan["type"], [leaf["name"] for leaf in plan["options"]]) == (2, ["create", "list"])
    assert (setup["type"], setup["options"][0]["channel_types"]) == (1, [0, 5])
    assert [option["name"] for option in plan["options"][0]["options"]] == ["name", "role", "description", "days"]
    assert plan["options"][0]["options"][3]["max_value"] == 90
    assert plan["options"][0]["options"][3]["min_value"] == 0


def test_a_command_is_hidden_from_members_only_when_all_of_it_is_the_creators() -> None:
    mixed = [*COMMANDS, CommandSpec(("doorman", "help"), "How it works")]

    alone = {command["name"]: command["default_member_permissions"] for command in payload(COMMANDS)}
    together = {command["name"]: command["default_member_permissions"] for command in payload(mixed)}

    assert alone == {"doorman": 1 << 5, "tip": None, "status": None}
    assert together["doorman"] is None


def test_commands_exist_in_servers_only() -> None:
    assert all(command["contexts"] == [0] and command["integration_types"] == [0] for command in payload(COMMANDS))


def test_a_description_is_never_too_long_for_discord() -> None:
    (command,) = payload([CommandSpec(("long",), "d" * 300, (Option("o", "e" * 300, OptionKind.BOOLEAN),))])

    assert len(command["description"]) == 100
    assert len(command["options"][0]["description"]) == 100


async def test_registering_the_same_commands_again_in_any_order_sends_nothing(world: Emulated) -> None:
    rest, application = world.adapter._rest, world.served.client_id

    assert await register(rest, application, COMMANDS) is False
    assert await register(rest, application, (COMMANDS[-2], *COMMANDS[:-2])) is False


@pytest.mark.parametrize(
    "changed",
    [
        COMMANDS[:-2],
        (*COMMANDS, CommandSpec(("new",), "Something new")),
        (*COMMANDS[:-2], CommandSpec(("status",), "Another description")),
        (*COMMANDS[:-2], CommandSpec(("status",), "What you have", (Option("all", "Everything", OptionKind.BOOLEAN),))),
        (*COMMANDS[:-2], CommandSpec(("status",), "What you have", audience=Audience.CREATOR)),
    ],
    ids=["one less", "one more", "description", "option", "audience"],
)
async def test_any_change_of_the_commands_is_sent(world: Emulated, changed: tuple[CommandSpec, ...]) -> None:
    rest, application = world.adapter._rest, world.served.client_id

    assert await register(rest, application, changed) is True
    assert await register(rest, application, changed) is False
