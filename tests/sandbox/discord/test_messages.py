"""Messages: where the bot may write, what it may say, who is notified."""

from typing import Any

import discord
import pytest

from sandbox.discord import permissions as p
from sandbox.discord.channels import Overwrite
from tests.sandbox.discord.conftest import Api, Connect, Rig, fault_of


def post(rig: Rig, channel: str = "general") -> str:
    return f"/channels/{rig.server.channel(channel).id}/messages"


async def conversation(api: Api, user: int) -> str:
    return f"/channels/{(await api('POST', '/users/@me/channels', {'recipient_id': str(user)}))[1]['id']}/messages"


async def test_whoever_closes_their_messages_gets_none(rig: Rig, api: Api) -> None:
    path = await conversation(api, rig.ann.id)
    rig.ann.close_dms()
    assert fault_of(await api("POST", path, {"content": "hi"})) == (403, 50007)
    assert rig.ann.inbox() == []
    rig.ann.open_dms()
    assert (await api("POST", path, {"content": "hi"}))[0] == 200
    assert [seen.text for seen in rig.ann.inbox()] == ["hi"]


async def test_a_bot_cannot_write_to_someone_it_shares_no_server_with_nor_to_nobody(rig: Rig, api: Api) -> None:
    stranger = rig.discord.people.user("stranger")
    assert fault_of(await api("POST", await conversation(api, stranger.id), {"content": "hi"})) == (403, 50278)
    assert fault_of(await api("POST", "/users/@me/channels", {"recipient_id": "5"})) == (400, 50033)


async def test_the_same_conversation_is_opened_every_time(rig: Rig, api: Api) -> None:
    assert await conversation(api, rig.ann.id) == await conversation(api, rig.ann.id)


async def test_a_channel_the_bot_cannot_see_or_write_in_refuses_it(rig: Rig, api: Api) -> None:
    everyone = rig.server.id
    rig.server.channel().overwrites[everyone] = Overwrite(everyone, 0, deny=p.SEND_MESSAGES)
    assert fault_of(await api("POST", post(rig), {"content": "hi"})) == (403, 50013)
    rig.server.channel().overwrites[everyone] = Overwrite(everyone, 0, deny=p.VIEW_CHANNEL)
    assert fault_of(await api("POST", post(rig), {"content": "hi"})) == (403, 50001)
    bot = rig.discord.model.bot.id
    rig.server.channel().overwrites[bot] = Overwrite(bot, 1, allow=p.VIEW_CHANNEL)
    assert (await api("POST", post(rig), {"content": "hi"}))[0] == 200
    assert fault_of(await api("POST", "/channels/5/messages", {"content": "hi"})) == (404, 10003)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 50006),
        ({"content": "  "}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"embeds": [{"title": "x" * 257}]}, 50035),
        ({"embeds": [{"description": "x" * 4097}]}, 50035),
        ({"embeds": [{"fields": [{"name": "", "value": "v"}]}]}, 50035),
        ({"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]}, 50035),
        ({"content": "x", "components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "no id"}]}]}, 50035),
        (
            {"content": "x", "components": [{"type": 1, "components": [{"type": 2, "style": 5, "label": "x", "url": "javascript:x"}]}]},
            50035,
        ),
        (
            {"content": "x", "components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x" * 81, "custom_id": "a"}]}]},
            50035,
        ),
        ({"content": "x", "components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}] * 2}]}, 50035),
        ({"content": "x", "components": [{"type": 1, "components": []}]}, 50035),
    ],
)
async def test_what_is_empty_too_long_or_broken_is_refused(rig: Rig, api: Api, body: dict[str, Any], code: int) -> None:
    assert fault_of(await api("POST", post(rig), body)) == (400, code)
    assert rig.server.messages() == []


async def test_malformed_json_is_refused(rig: Rig, api: Api) -> None:
    assert fault_of(await api("POST", post(rig), b"{nonsense")) == (400, 50109)
    assert fault_of(await api("POST", post(rig), ["a list"])) == (400, 50035)


async def test_only_allowed_mentions_notify_anyone(rig: Rig, api: Api) -> None:
    gold = rig.server.role("Gold")
    text = f"@everyone {rig.ann.mention} <@&{gold.id}>"
    await api("POST", post(rig), {"content": text, "allowed_mentions": {"parse": []}})
    await api("POST", post(rig), {"content": text, "allowed_mentions": {"parse": [], "users": [str(rig.ann.id)]}})
    await api("POST", post(rig), {"content": text})
    none, one, everyone = (seen.message for seen in rig.server.messages())
    assert (none.pings_users, none.pings_roles, none.pings_everyone) == ([], [], False)
    assert ([user.username for user in one.pings_users], one.pings_roles, one.pings_everyone) == (["ann"], [], False)
    assert (len(everyone.pings_users), everyone.pings_roles, everyone.pings_everyone) == (1, [gold.id], True)
    rig.server.change_role(rig.server.guild.roles[rig.server.id], permissions=p.EVERYONE & ~p.MENTION_EVERYONE)
    await api("POST", post(rig), {"content": text})
    assert rig.server.messages()[-1].message.pings_everyone is False


async def test_one_edits_ones_own_messages_only_and_parts_not_sent_stay(rig: Rig, api: Api) -> None:
    made = (await api("POST", post(rig), {"content": "first", "embeds": [{"title": "kept"}]}))[1]
    edited = (await api("PATCH", f"{post(rig)}/{made['id']}", {"content": "second"}))[1]
    assert (edited["content"], edited["embeds"][0]["title"]) == ("second", "kept")
    assert edited["edited_timestamp"] is not None
    said = rig.ann.say(rig.server, "mine")
    assert fault_of(await api("PATCH", f"{post(rig)}/{said.message.id}", {"content": "x"})) == (403, 50005)
    assert fault_of(await api("DELETE", f"{post(rig)}/{said.message.id}")) == (403, 50013)
    assert (await api("DELETE", f"{post(rig)}/{made['id']}"))[0] == 204
    assert fault_of(await api("GET", f"{post(rig)}/{made['id']}")) == (404, 10008)
    assert [seen.text for seen in rig.server.messages()] == ["mine"]


async def test_messages_are_read_in_pages_newest_first(rig: Rig, api: Api) -> None:
    ids = [(await api("POST", post(rig), {"content": str(number)}))[1]["id"] for number in range(3)]
    assert [one["id"] for one in (await api("GET", f"{post(rig)}?limit=2"))[1]] == [ids[2], ids[1]]
    assert [one["id"] for one in (await api("GET", f"{post(rig)}?before={ids[1]}"))[1]] == [ids[0]]


async def test_private_threads_need_the_right_and_take_members_in(rig: Rig, connect: Connect, api: Api) -> None:
    bot = await connect()
    channel = await bot.fetch_channel(rig.server.channel().id)
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.create_thread(name="Ann and us", reason="a talk")
    await thread.add_user(discord.Object(rig.ann.id))
    await thread.send("Hello")
    assert [seen.text for seen in rig.server.messages("Ann and us")] == ["Hello"]
    assert rig.ann.id in rig.server.channel("Ann and us").people
    made = (await api("POST", post(rig), {"content": "talk about this"}))[1]
    started = (await api("POST", f"{post(rig)}/{made['id']}/threads", {"name": "On that"}))[1]
    assert started["id"] == made["id"]
    bare = p.EVERYONE & ~p.CREATE_PRIVATE_THREADS
    rig.server.change_role(rig.server.guild.roles[rig.server.id], permissions=bare)
    assert fault_of(await api("POST", f"/channels/{rig.server.channel().id}/threads", {"name": "x", "type": 12})) == (403, 50013)


async def test_channels_are_listed_made_closed_to_some_and_deleted(rig: Rig, api: Api) -> None:
    rig.server.change_role(rig.server.bot_role, permissions=rig.server.bot_role.permissions | p.MANAGE_CHANNELS)
    status, made = await api("POST", f"/guilds/{rig.server.id}/channels", {"name": "vip", "topic": "for gold"})
    assert status == 201
    assert (await api("PUT", f"/channels/{made['id']}/permissions/{rig.ann.id}", {"type": 1, "deny": p.SEND_MESSAGES}))[0] == 204
    shown = {one["name"]: one for one in (await api("GET", f"/guilds/{rig.server.id}/channels"))[1]}
    assert shown["vip"]["permission_overwrites"][0]["deny"] == str(p.SEND_MESSAGES)
    assert (await api("GET", f"/channels/{made['id']}"))[1]["topic"] == "for gold"
    code = rig.server.invite(channel="vip")
    assert (await api("DELETE", f"/channels/{made['id']}"))[0] == 200
    assert fault_of(await api("GET", f"/channels/{made['id']}")) == (404, 10003)
    assert fault_of(await api("GET", f"/invites/{code}")) == (404, 10006)


async def test_the_servers_log_says_who_why_and_in_which_order(rig: Rig, api: Api) -> None:
    path = f"/guilds/{rig.server.id}/audit-logs"
    assert fault_of(await api("GET", path)) == (403, 50013)
    rig.server.change_role(rig.server.bot_role, permissions=rig.server.bot_role.permissions | p.VIEW_AUDIT_LOG)
    gold = rig.server.role("Gold").id
    await api("PUT", f"/guilds/{rig.server.id}/members/{rig.ann.id}/roles/{gold}", X_Audit_Log_Reason="Gold")
    log = (await api("GET", f"{path}?limit=1&action_type=25"))[1]
    assert log["audit_log_entries"][0]["reason"] == "Gold"
    assert [user["username"] for user in log["users"]] == ["doorman"]


async def test_members_are_kicked_banned_and_let_in_again_by_rank(rig: Rig, api: Api) -> None:
    rig.server.change_role(rig.server.bot_role, permissions=rig.server.bot_role.permissions | p.KICK_MEMBERS | p.BAN_MEMBERS)
    fan = rig.discord.people.user("fan")
    fan.join(rig.server, rig.server.invite())
    member, ban = f"/guilds/{rig.server.id}/members", f"/guilds/{rig.server.id}/bans/{fan.id}"
    assert fault_of(await api("DELETE", f"{member}/{rig.ann.id}")) == (403, 50013)
    assert (await api("DELETE", f"{member}/{fan.id}"))[0] == 204
    assert not rig.server.has(fan)
    assert (await api("PUT", ban, {}, X_Audit_Log_Reason="chargeback"))[0] == 204
    assert (await api("GET", ban))[1]["reason"] == "chargeback"
    assert len((await api("GET", f"/guilds/{rig.server.id}/bans"))[1]) == 1
    assert (await api("DELETE", ban, {}))[0] == 204
    assert fault_of(await api("GET", ban)) == (404, 10026)


async def test_a_member_can_be_renamed_and_their_whole_list_of_roles_replaced(rig: Rig, api: Api) -> None:
    rig.server.change_role(rig.server.bot_role, permissions=rig.server.bot_role.permissions | p.MANAGE_NICKNAMES)
    fan = rig.discord.people.user("fan")
    fan.join(rig.server, rig.server.invite())
    rig.server.give_role(fan, rig.server.role("Silver"))
    body = {"nick": "Fan One", "roles": [str(rig.server.role("Gold").id)]}
    status, member = await api("PATCH", f"/guilds/{rig.server.id}/members/{fan.id}", body)
    assert (status, member["nick"]) == (200, "Fan One")
    assert rig.server.roles_of(fan) == {"Gold"}
    assert (await api("PATCH", f"/guilds/{rig.server.id}/members/@me", {"nick": "The Doorman"}))[1]["nick"] == "The Doorman"


async def test_the_bot_can_see_itself_its_servers_and_leave_one(rig: Rig, connect: Connect, api: Api) -> None:
    bot = await connect()
    assert (await bot.application_info()).id == int(rig.served.client_id)
    assert [guild["name"] for guild in (await api("GET", "/users/@me/guilds"))[1]] == ["Ann's place"]
    assert (await api("GET", f"/applications/{rig.served.client_id}"))[1]["name"] == "Doorman"
    assert (await api("GET", "/gateway"))[1] == {"url": rig.served.gateway_url}
    assert (await api("GET", "/gateway/bot"))[1]["session_start_limit"]["remaining"] == 999
    guild = bot.get_guild(rig.server.id)
    assert guild is not None
    await guild.leave()
    await bot.hears("guild_remove")
    assert fault_of(await api("GET", f"/guilds/{rig.server.id}")) == (403, 50001)
    assert fault_of(await api("DELETE", f"/users/@me/guilds/{rig.server.id}")) == (404, 10004)


async def test_what_is_not_emulated_is_refused_loudly(rig: Rig, api: Api) -> None:
    status, body = await api("GET", f"/guilds/{rig.server.id}/emojis")
    assert status == 404
    assert "no GET" in body["message"]
