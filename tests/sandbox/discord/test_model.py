"""The model by itself: the same seed, the same story; waiting without polling; permissions as the client adds them up."""

import asyncio
import random

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import VirtualClock
from sandbox.discord import DiscordEmulator
from sandbox.discord import permissions as p
from sandbox.discord.channels import Overwrite
from sandbox.discord.ids import Ids
from sandbox.discord.roles import Role
from tests.sandbox.discord.conftest import Connect, Rig


def story(seed: int) -> list[object]:
    emulator = DiscordEmulator(VirtualClock(), seed=seed)
    ann = emulator.people.user("ann")
    server = emulator.people.guild(ann, "Place", roles=["Gold"])
    return [emulator.bot_token, emulator.client_id, emulator.client_secret, server.id, server.role("Gold").id, server.invite()]


def test_the_same_seed_gives_the_same_ids_and_secrets_and_another_seed_others() -> None:
    assert story(3) == story(3)
    assert story(3)[0] != story(4)[0]
    assert story(3)[2] != story(4)[2]


def test_ids_carry_the_time_and_never_repeat_even_while_time_stands_still() -> None:
    clock = VirtualClock()
    ids = Ids(clock, 1)
    made = [ids.snowflake() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert discord.utils.snowflake_time(made[0]) == clock.now()


async def test_waiting_ends_at_the_change_and_gives_up_in_time(rig: Rig) -> None:
    fan = rig.discord.people.user("fan")
    gold = rig.server.role("Gold")
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(rig.server.until_role(fan, gold))
        fan.join(rig.server, rig.server.invite())
        await asyncio.sleep(0)
        assert not waiting.done()
        before = rig.discord.model.moments()
        rig.server.give_role(fan, gold)
    moment = rig.server.role_moment(fan, gold)
    assert moment is not None
    assert before <= moment <= rig.discord.model.moments()
    with pytest.raises(TimeoutError):
        await rig.discord.model.when(lambda: False, within=0.01)
    fan.leave(rig.server)
    await rig.server.until_role(fan, gold, held=False)


async def test_permissions_add_up_as_the_client_adds_them_up(rig: Rig, connect: Connect) -> None:
    dice = random.Random(11)  # noqa: S311 - a seeded sample
    rig.discord.bot_members_intent = True
    fans = [rig.discord.people.user(f"fan{number}") for number in range(6)]
    for fan in fans:
        fan.join(rig.server, rig.server.invite())
    roles = [rig.server.add_role(f"role{number}", dice.getrandbits(41) & ~p.ADMINISTRATOR) for number in range(4)]
    rig.server.change_role(roles[0], permissions=roles[0].permissions | p.ADMINISTRATOR)
    channels = [rig.server.add_channel(f"place{number}") for number in range(20)]
    for fan in fans:
        for role in dice.sample(roles, dice.randint(0, 3)):
            rig.server.give_role(fan, role)
    for channel in channels:
        for target, kind in [(rig.server.id, 0), *((role.id, 0) for role in roles), *((fan.id, 1) for fan in fans)]:
            if dice.random() < 0.5:
                channel.overwrites[target] = Overwrite(target, kind, dice.getrandbits(41), dice.getrandbits(41))
    bot = await connect()
    guild = bot.get_guild(rig.server.id)
    assert guild is not None
    watched = p.MANAGE_ROLES | p.MANAGE_CHANNELS | p.BAN_MEMBERS | p.CREATE_INSTANT_INVITE
    compared = 0
    for person in (rig.ann, *fans):
        member = guild.get_member(person.id)
        assert member is not None
        for channel in channels:
            theirs = guild.get_channel(channel.id)
            assert isinstance(theirs, discord.TextChannel)
            resolved = theirs.permissions_for(member)
            ours = rig.server.guild.permissions_of(person.id, channel)
            if resolved.read_messages and not resolved.administrator:  # the client also clears what cannot be used without seeing
                compared += 1
                assert ours & watched == resolved.value & watched
            assert bool(ours & p.VIEW_CHANNEL) == resolved.read_messages
    assert compared > 15


@given(st.permutations(range(6)), st.integers(1, 6))
def test_moving_a_role_keeps_positions_a_row_without_gaps_and_everyone_lowest(order: list[int], to: int) -> None:
    emulator = DiscordEmulator(VirtualClock())
    server = emulator.people.guild(emulator.people.user("ann"), "Place", roles=[f"r{number}" for number in range(6)])
    for number in order:
        server.move_role(server.role(f"r{number}"), to)
        ranked: list[Role] = sorted(server.guild.roles.values(), key=lambda role: role.position)
        assert [role.position for role in ranked] == list(range(7))
        assert ranked[0].id == server.id
        assert server.role(f"r{number}").position == to
