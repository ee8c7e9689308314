"""Putting a payer into the server: the guilds.join token, invites, and what the client hears of it."""

from datetime import timedelta

import aiohttp
import pytest

from sandbox.discord import permissions as p
from sandbox.discord.consent import Request
from sandbox.discord.errors import RefusedError
from sandbox.discord.invites import INVITE_LIMIT, Terms
from sandbox.discord.people import Person
from sandbox.discord.typed import CannotError
from tests.sandbox.discord.conftest import Api, Connect, Rig, fault_of


def token_of(rig: Rig, person: Person, *scopes: str) -> str:
    oauth = rig.discord.model.oauth
    return oauth.exchange(oauth.grant(person.id, scopes or ("identify", "guilds.join"), "x"), "x").access_token


def put(rig: Rig, person: Person) -> str:
    return f"/guilds/{rig.server.id}/members/{person.id}"


async def test_the_first_put_answers_with_the_member_the_second_with_nothing_and_ignores_the_roles(rig: Rig, api: Api) -> None:
    fan = rig.discord.people.user("fan")
    gold = str(rig.server.role("Gold").id)
    status, member = await api("PUT", put(rig, fan), {"access_token": token_of(rig, fan), "roles": [gold]})
    assert status == 201
    assert member["roles"] == [gold]
    silver = str(rig.server.role("Silver").id)
    assert await api("PUT", put(rig, fan), {"access_token": token_of(rig, fan), "roles": [silver]}) == (204, None)
    assert rig.server.roles_of(fan) == {"Gold"}


async def test_a_token_of_someone_else_or_without_the_scope_or_withdrawn_is_refused(rig: Rig, api: Api) -> None:
    fan, other = rig.discord.people.user("fan"), rig.discord.people.user("other")
    stale = token_of(rig, fan)
    fan.withdraw()
    for token in ("nonsense", token_of(rig, other), token_of(rig, fan, "identify"), stale):
        assert fault_of(await api("PUT", put(rig, fan), {"access_token": token})) == (403, 50025)
    assert fault_of(await api("PUT", put(rig, fan), {})) == (400, 50035)
    assert not rig.server.has(fan)


async def test_the_banned_and_those_in_too_many_servers_stay_out(rig: Rig, api: Api) -> None:
    banned, busy = rig.discord.people.user("banned"), rig.discord.people.user("busy")
    rig.server.ban(banned)
    busy.user.guilds.update(range(1, 101))
    assert fault_of(await api("PUT", put(rig, banned), {"access_token": token_of(rig, banned)})) == (403, 40007)
    assert fault_of(await api("PUT", put(rig, busy), {"access_token": token_of(rig, busy)})) == (400, 30001)


async def test_in_a_screened_server_the_newcomer_is_pending(rig: Rig, api: Api) -> None:
    rig.server.guild.screening = True
    fan = rig.discord.people.user("fan")
    assert (await api("PUT", put(rig, fan), {"access_token": token_of(rig, fan)}))[1]["pending"] is True


async def test_joins_and_leaves_are_heard_with_the_members_intent(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    fan = rig.discord.people.user("fan")
    fan.join(rig.server, rig.server.invite())
    await bot.hears("member_join")
    fan.leave(rig.server)
    await bot.hears("raw_member_remove")


async def test_joins_are_not_heard_without_the_members_intent(rig: Rig, connect: Connect) -> None:
    bot = await connect(members=False)
    fan = rig.discord.people.user("fan")
    fan.join(rig.server, rig.server.invite())
    rig.server.add_role("a later event")
    await bot.hears("guild_role_create")
    assert "member_join" not in bot.heard


async def test_listing_members_needs_the_intent_and_looking_one_up_does_not(rig: Rig, api: Api) -> None:
    rig.discord.bot_members_intent = False
    assert fault_of(await api("GET", f"/guilds/{rig.server.id}/members?limit=10")) == (403, 50001)
    assert (await api("GET", f"/guilds/{rig.server.id}/members/{rig.ann.id}"))[1]["user"]["username"] == "ann"
    assert [one["user"]["username"] for one in (await api("GET", f"/guilds/{rig.server.id}/members/search?query=an"))[1]] == ["ann"]


async def test_the_member_list_is_read_in_pages_by_id(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    code = rig.server.invite()
    for number in range(5):
        rig.discord.people.user(f"fan{number}").join(rig.server, code)
    guild = await bot.fetch_guild(rig.server.id)
    names = [member.name async for member in guild.fetch_members(limit=None)]
    assert sorted(names) == ["ann", "doorman", "fan0", "fan1", "fan2", "fan3", "fan4"]
    assert (await bot.http.get_members(rig.server.id, 2, None))[0]["user"]["id"] == min(str(one) for one in rig.server.guild.members)


async def test_an_invite_lets_in_as_often_as_it_says_and_as_long(rig: Rig, api: Api) -> None:
    channel = rig.server.channel().id
    body = {"max_age": 60, "max_uses": 1, "unique": True}
    once = (await api("POST", f"/channels/{channel}/invites", body))[1]["code"]
    timed = (await api("POST", f"/channels/{channel}/invites", body))[1]["code"]
    assert once != timed
    first, second = rig.discord.people.user("first"), rig.discord.people.user("second")
    first.join(rig.server, once)
    with pytest.raises(RefusedError, match="10006"):
        second.join(rig.server, once)
    rig.clock.advance(timedelta(seconds=60))
    with pytest.raises(RefusedError, match="10006"):
        second.join(rig.server, timed)
    assert rig.server.has(first)
    assert not rig.server.has(second)


async def test_without_unique_the_same_invite_comes_back(rig: Rig, api: Api) -> None:
    path = f"/channels/{rig.server.channel().id}/invites"
    assert (await api("POST", path, {}))[1]["code"] == (await api("POST", path, {}))[1]["code"]


async def test_an_invite_can_be_shown_listed_and_taken_back_through_the_client(rig: Rig, connect: Connect) -> None:
    rig.server.change_role(rig.server.bot_role, permissions=rig.server.bot_role.permissions | p.MANAGE_CHANNELS)
    bot = await connect()
    channel = await bot.fetch_channel(rig.server.channel().id)
    invite = await channel.create_invite(max_uses=1, reason="for a payer")  # type: ignore[union-attr]
    assert (await bot.fetch_invite(invite.code)).guild.id == rig.server.id  # type: ignore[union-attr]
    await invite.delete()
    with pytest.raises(RefusedError):
        rig.ann.join(rig.server, invite.code)


async def test_an_invite_may_carry_roles_only_below_the_bots_own(rig: Rig, api: Api) -> None:
    path = f"/channels/{rig.server.channel().id}/invites"
    gold = rig.server.role("Gold")
    status, made = await api("POST", path, {"role_ids": [str(gold.id)], "unique": True})
    assert status == 200
    assert [role["name"] for role in made["roles"]] == ["Gold"]
    fan = rig.discord.people.user("fan")
    fan.join(rig.server, made["code"])
    assert rig.server.roles_of(fan) == {"Gold"}
    rig.server.move_role(rig.server.bot_role, 1)
    assert fault_of(await api("POST", path, {"role_ids": [str(gold.id)], "unique": True})) == (403, 50013)


async def test_an_invite_for_some_lets_only_them_in(rig: Rig) -> None:
    wanted, other = rig.discord.people.user("wanted"), rig.discord.people.user("other")
    rig.server.change_role(rig.server.bot_role, permissions=rig.server.bot_role.permissions | p.MANAGE_GUILD)
    form = aiohttp.FormData()
    form.add_field("payload_json", '{"max_uses": 1, "unique": true}', content_type="application/json")
    form.add_field("target_users_file", f"user_id\n{wanted.id}\n".encode(), filename="users.csv", content_type="text/csv")
    headers = {"Authorization": f"Bot {rig.served.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(f"{rig.served.api_url}/channels/{rig.server.channel().id}/invites", data=form) as response:
            code = (await response.json())["code"]
        async with session.get(f"{rig.served.api_url}/invites/{code}/target-users") as response:
            assert str(wanted.id) in await response.text()
        async with session.get(f"{rig.served.api_url}/invites/{code}/target-users/job-status") as response:
            assert (await response.json())["total_users"] == 1
    with pytest.raises(RefusedError):
        other.join(rig.server, code)
    wanted.join(rig.server, code)
    assert rig.server.has(wanted)


async def test_a_server_holds_a_thousand_invites_and_expired_ones_make_room(rig: Rig, api: Api) -> None:
    for _ in range(INVITE_LIMIT):
        rig.server.invite(Terms(max_age=60))
    path = f"/channels/{rig.server.channel().id}/invites"
    assert fault_of(await api("POST", path, {"unique": True})) == (400, 30016)
    rig.clock.advance(timedelta(seconds=60))
    assert (await api("POST", path, {"unique": True}))[0] == 200


async def test_an_invite_to_another_server_is_not_mistaken_for_this_one(rig: Rig) -> None:
    elsewhere = rig.discord.people.guild(rig.ann, "Elsewhere")
    with pytest.raises(CannotError, match="another server"):
        rig.discord.people.user("fan").join(rig.server, elsewhere.invite())


def test_a_consent_request_for_a_bot_knows_that_it_installs() -> None:
    assert Request(("bot", "applications.commands"), "", None, 0, None).installs
    assert not Request(("identify",), "", None, 0, None).installs
