"""The websocket: sessions that begin, are lost, come back, and are refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord import permissions as p
from sandbox.discord.hub import Session
from tests.sandbox.discord.conftest import Bot, Connect, Rig, running

GUILDS, MEMBERS = 1, 2


class Socket:
    """A bare gateway connection."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def next(self, event: str | None = None) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while True:
                frame: dict[str, Any] = json.loads((await self.ws.receive()).data)
                if event is None or frame["t"] == event:
                    return frame

    async def send(self, op: int, data: object) -> None:
        await self.ws.send_str(json.dumps({"op": op, "d": data}))

    async def identify(self, rig: Rig, intents: int = GUILDS | MEMBERS, **more: object) -> None:
        await self.send(2, {"token": rig.served.bot_token, "intents": intents, "properties": {}, **more})

    async def closed_with(self) -> int | None:
        async with asyncio.timeout(5):
            while (await self.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        return self.ws.close_code


@asynccontextmanager
async def opened(rig: Rig) -> AsyncIterator[Socket]:
    async with aiohttp.ClientSession() as session, session.ws_connect(rig.served.gateway_url) as ws:
        socket = Socket(ws)
        assert (await socket.next())["op"] == 10
        yield socket


async def test_ready_names_servers_as_unavailable_and_then_tells_of_each(rig: Rig) -> None:
    async with opened(rig) as socket:
        await socket.identify(rig)
        ready = (await socket.next("READY"))["d"]
        assert ready["guilds"] == [{"id": str(rig.server.id), "unavailable": True}]
        assert ready["resume_gateway_url"] == rig.served.gateway_url
        guild = (await socket.next("GUILD_CREATE"))["d"]
        assert {role["name"] for role in guild["roles"]} == {"@everyone", "Gold", "Silver", "doorman"}
        assert {member["user"]["username"] for member in guild["members"]} == {"ann", "doorman"}


async def test_without_the_members_intent_only_the_bot_itself_is_told_of(rig: Rig) -> None:
    async with opened(rig) as socket:
        await socket.identify(rig, GUILDS)
        guild = (await socket.next("GUILD_CREATE"))["d"]
        assert [member["user"]["username"] for member in guild["members"]] == ["doorman"]
        assert guild["member_count"] == 2
        rig.server.give_role(rig.ann, rig.server.role("Gold"))
        extra = rig.server.add_role("Extra")
        rig.discord.model.guilds[rig.server.id].members[rig.discord.model.bot.id].roles.discard(0)
        members_give(rig, extra.id)
        update = (await socket.next("GUILD_MEMBER_UPDATE"))["d"]
        assert update["user"]["username"] == "doorman"


def members_give(rig: Rig, role_id: int) -> None:
    from sandbox.discord import members  # noqa: PLC0415 - one use

    members.give_role(rig.discord.model, rig.server.guild, rig.ann.id, rig.discord.model.bot.id, role_id)


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (2, {"token": "nonsense", "intents": 1}, 4004),
        (2, {"intents": 1 << 30}, 4013),
        (2, {"intents": 1 << 15}, 4014),
        (2, {"intents": 1, "shard": [2, 2]}, 4010),
        (8, {"guild_id": "1"}, 4003),
    ],
)
async def test_what_a_client_may_not_do_closes_with_its_code(rig: Rig, op: int, data: dict[str, object], code: int) -> None:
    async with opened(rig) as socket:
        await socket.send(op, {"token": rig.served.bot_token, **data})
        assert await socket.closed_with() == code


async def test_after_identifying_nonsense_and_identifying_again_close_too(rig: Rig) -> None:
    for frame, code in (('{"op": 99}', 4001), ("{nonsense", 4002), (json.dumps({"op": 2, "d": {}}), 4005)):
        async with opened(rig) as socket:
            await socket.identify(rig)
            await socket.next("GUILD_CREATE")
            await socket.ws.send_str(frame)
            assert await socket.closed_with() == code


async def test_the_members_intent_switched_off_is_told_to_the_client_in_its_own_words(rig: Rig) -> None:
    rig.discord.bot_members_intent = False
    with pytest.raises(ExceptionGroup) as caught:
        async with running(Bot(), rig.served.bot_token):
            await asyncio.sleep(5)
    assert caught.group_contains(discord.PrivilegedIntentsRequired)


async def test_heartbeats_are_acknowledged(rig: Rig) -> None:
    async with opened(rig) as socket:
        await socket.send(1, None)
        assert (await socket.next())["op"] == 11


async def test_a_lost_connection_resumes_and_hears_what_it_missed_in_order(rig: Rig) -> None:
    async with opened(rig) as first:
        await first.identify(rig)
        session = (await first.next("READY"))["d"]["session_id"]
        seen = (await first.next("GUILD_CREATE"))["s"]
        rig.discord.gateway.drop_all()
        await first.closed_with()
    for name in ("One", "Two"):
        rig.server.add_role(name)
    async with opened(rig) as second:
        await second.send(6, {"token": rig.served.bot_token, "session_id": session, "seq": seen})
        assert [(await second.next("GUILD_ROLE_CREATE"))["d"]["role"]["name"] for _ in range(2)] == ["One", "Two"]
        assert (await second.next("RESUMED"))["t"] == "RESUMED"


async def test_resuming_a_session_there_is_not_is_answered_with_invalid_session(rig: Rig) -> None:
    async with opened(rig) as socket:
        await socket.send(6, {"token": rig.served.bot_token, "session_id": "gone", "seq": 3})
        frame = await socket.next()
        assert (frame["op"], frame["d"]) == (9, False)


async def test_the_client_resumes_by_itself_after_a_cut_and_after_being_asked(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    rig.discord.gateway.ask_to_reconnect()
    await bot.hears("resumed")
    rig.server.add_role("Later")
    await bot.hears("guild_role_create")


async def test_the_client_identifies_anew_after_invalid_session(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    rig.discord.gateway.invalidate()
    await bot.hears("ready", 2)
    assert "resumed" not in bot.heard


async def test_a_garbled_event_ends_the_client_for_good(rig: Rig) -> None:
    async def hear_something_garbled() -> None:
        bot = Bot()
        async with running(bot, rig.served.bot_token):
            await bot.wait_until_ready()
            rig.discord.gateway.garble()
            await asyncio.sleep(5)

    with pytest.raises(ExceptionGroup) as caught:
        await hear_something_garbled()
    assert caught.group_contains(KeyError)


async def test_during_an_outage_nobody_connects(rig: Rig) -> None:
    rig.discord.gateway.refusing = True
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(rig.served.gateway_url)
    assert caught.value.status == 503


async def test_an_outage_of_a_server_is_not_mistaken_for_being_kicked(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    rig.server.set_available(available=False)
    await bot.hears("guild_unavailable")
    rig.server.set_available(available=True)
    await bot.hears("guild_available", 2)
    assert "guild_remove" not in bot.heard
    rig.server.kick_bot()
    await bot.hears("guild_remove")


async def test_a_server_joined_while_connected_is_told_as_joined(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    other = rig.discord.people.guild(rig.ann, "Second place")
    await rig.discord.people.add_bot(other, p.MANAGE_ROLES)
    await bot.hears("guild_join")
    assert {guild.name for guild in bot.guilds} == {"Ann's place", "Second place"}


async def test_servers_the_bot_is_not_in_are_never_told_of(rig: Rig) -> None:
    other = rig.discord.people.guild(rig.ann, "Elsewhere")
    async with opened(rig) as socket:
        await socket.identify(rig)
        await socket.next("GUILD_CREATE")
        other.add_role("hidden")
        rig.server.add_role("seen")
        assert (await socket.next())["d"]["role"]["name"] == "seen"


async def test_the_whole_member_list_can_be_asked_for(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    code = rig.server.invite()
    for number in range(3):
        rig.discord.people.user(f"fan{number}").join(rig.server, code)
    guild = bot.get_guild(rig.server.id)
    assert guild is not None
    assert {member.name for member in await guild.chunk()} == {"ann", "doorman", "fan0", "fan1", "fan2"}
    assert [member.name for member in await guild.query_members("fan1")] == ["fan1"]


async def test_shards_hear_only_of_their_own_servers(rig: Rig) -> None:
    at = (rig.server.id >> 22) % 2
    async with opened(rig) as mine, opened(rig) as other:
        await mine.identify(rig, shard=[at, 2])
        await other.identify(rig, shard=[1 - at, 2])
        assert (await mine.next("READY"))["d"]["guilds"]
        assert (await other.next("READY"))["d"]["guilds"] == []


@given(st.integers(0, 30), st.integers(-3, 33))
def test_a_session_replays_exactly_what_came_after_a_number_it_said(said: int, asked: int) -> None:
    session = Session("s", 1)
    for _ in range(said):
        session.push("GUILD_ROLE_CREATE", {})
    missed = session.since(asked)
    if 0 <= asked <= said:
        assert missed is not None
        assert [event["s"] for event in missed] == list(range(asked + 1, said + 1))
    else:
        assert missed is None
