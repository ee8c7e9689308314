"""Who is let in: tokens, scopes, and what is said to those who are not."""

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox.slack.conftest import Rig, error_of


async def test_the_sdk_is_told_whose_token_it_has(rig: Rig, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert rig.acme.bot is not None
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == (rig.acme.id, rig.acme.bot.id, rig.acme.bot.bot_id)


async def test_each_wrong_token_is_refused_in_slacks_own_word(rig: Rig, client: AsyncWebClient) -> None:
    bare = AsyncWebClient(base_url=rig.served.api_url, retry_handlers=[])
    assert await error_of(bare.auth_test()) == "not_authed"
    assert await error_of(bare.auth_test(token="xoxb-made-up")) == "invalid_auth"
    assert await error_of(bare.auth_test(token=rig.served.app_token)) == "not_allowed_token_type"
    assert await error_of(bare.apps_connections_open(app_token=rig.token)) == "not_allowed_token_type"
    await client.auth_revoke()
    assert await error_of(client.auth_test()) == "token_revoked"


async def test_after_uninstalling_the_bots_token_is_inactive(rig: Rig, client: AsyncWebClient) -> None:
    rig.ann.uninstall(rig.acme)
    assert await error_of(client.auth_test()) == "account_inactive"
    assert rig.acme.bot is not None
    assert rig.acme.bot.id not in rig.gold.members


async def test_a_missing_scope_is_named_beside_those_that_were_given(rig: Rig) -> None:
    rig.slack.model.app.bot_scopes = frozenset({"chat:write", "commands"})
    other = rig.slack.people.workspace(rig.ann, "Other")
    client = AsyncWebClient(rig.slack.people.install(other), base_url=rig.served.api_url, retry_handlers=[])
    with pytest.raises(SlackApiError) as refused:
        await client.users_list()
    answer = refused.value.response
    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "users:read", "chat:write,commands")


async def test_a_method_that_does_not_exist_is_unknown(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("conversations.explode")) == "unknown_method"


async def test_json_and_form_bodies_are_read_and_broken_ones_named(rig: Rig, http: aiohttp.ClientSession) -> None:
    url, headers = rig.served.api_url + "users.info", {"Authorization": f"Bearer {rig.token}"}
    wanted = rig.bo.id(rig.acme)
    async with http.post(url, json={"user": wanted}, headers=headers) as answer:
        assert (await answer.json())["user"]["id"] == wanted
    async with http.post(url, data={"user": wanted, "token": rig.token}) as answer:
        assert (await answer.json())["user"]["id"] == wanted
    for body, error in ((b"{", "invalid_json"), (b"[]", "json_not_object")):
        async with http.post(url, data=body, headers={**headers, "Content-Type": "application/json"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (200, error)
    async with http.get(url, params={"user": wanted, "token": rig.token}) as answer:
        assert (await answer.json())["error"] == "not_authed"


async def test_every_call_is_counted_once_refused_or_not(rig: Rig, client: AsyncWebClient) -> None:
    await client.users_info(user=rig.bo.id(rig.acme))
    await error_of(client.users_info(user="U0NOBODY000"))
    await error_of(client.users_info(user="U0NOBODY000", token="xoxb-made-up"))
    assert rig.slack.rest.count("users.info") == 3


async def test_an_answer_can_be_made_wrong_before_or_after_the_deed(rig: Rig, client: AsyncWebClient) -> None:
    bo = rig.bo.id(rig.acme)
    rig.slack.refuse("conversations.invite", "internal_error")
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=bo)) == "internal_error"
    assert not rig.bo.reads(rig.gold)
    rig.slack.refuse("conversations.invite", "fatal_error", after=True)
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=bo)) == "fatal_error"
    assert rig.bo.reads(rig.gold)
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=bo)) == "already_in_channel"
