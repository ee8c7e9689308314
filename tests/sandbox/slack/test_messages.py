"""Messages: where they appear, who reads them, and what cannot be said."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox.slack.conftest import Rig, error_of

BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": "https://example.org/pay", "action_id": "open"}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*Gold* costs 5 €"}, "accessory": BUTTON}


async def test_a_message_to_a_person_is_a_direct_message(rig: Rig, client: AsyncWebClient) -> None:
    sent = await client.chat_postMessage(channel=rig.bo.id(rig.acme), text="welcome", blocks=[SECTION])
    seen = await rig.bo.next_dm(rig.acme)
    assert (seen.text, seen.words, seen.link("Open")) == ("welcome", "*Gold* costs 5 €\nOpen", "https://example.org/pay")
    assert sent["channel"].startswith("D0")
    opened = await client.conversations_open(users=rig.bo.id(rig.acme))
    assert opened["channel"]["id"] == sent["channel"]


async def test_an_edit_is_seen_where_the_message_was(rig: Rig, client: AsyncWebClient) -> None:
    sent = await client.chat_postMessage(channel="#gold", text="one")
    [post] = rig.ann.posts(rig.gold)
    await client.chat_update(channel=rig.gold.id, ts=str(sent["ts"]), text="two")
    assert post.text == "two"
    await client.chat_delete(channel=rig.gold.id, ts=str(sent["ts"]))
    assert rig.ann.posts(rig.gold) == []


async def test_only_who_it_is_for_sees_an_ephemeral_message(rig: Rig, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel=rig.gold.id, user=rig.ann.id(rig.acme), text="psst")
    assert [one.text for one in rig.ann.whispers(rig.acme)] == ["psst"]
    assert (rig.bo.whispers(rig.acme), rig.ann.posts(rig.gold)) == ([], [])
    refused = client.chat_postEphemeral(channel=rig.gold.id, user=rig.bo.id(rig.acme), text="psst")
    assert await error_of(refused) == "user_not_in_channel"


async def test_other_peoples_messages_cannot_be_edited(rig: Rig, client: AsyncWebClient) -> None:
    said = rig.ann.say(rig.gold, "hello")
    assert await error_of(client.chat_update(channel=rig.gold.id, ts=said.message.ts, text="x")) == "cant_update_message"
    assert await error_of(client.chat_update(channel=rig.gold.id, ts="1.000000", text="x")) == "message_not_found"


@pytest.mark.parametrize(
    ("blocks", "text", "error"),
    [
        (None, "", "no_text"),
        (None, "x" * 40_001, "msg_too_long"),
        ([{"type": "poem"}], "", "invalid_blocks"),
        ([SECTION] * 51, "", "invalid_blocks"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], "", "invalid_blocks"),
        ([{"type": "actions", "elements": [{**BUTTON, "value": "x" * 2001}]}], "", "invalid_blocks"),
        ([{"type": "actions", "elements": [{**BUTTON, "text": {"type": "mrkdwn", "text": "Open"}}]}], "", "invalid_blocks"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "", "invalid_blocks"),
        ([{**SECTION, "block_id": 5}], "", "invalid_blocks"),
        ([{**SECTION, "block_id": "same"}] * 2, "", "invalid_blocks"),
        ([{"type": ["section"]}], "", "invalid_blocks"),
        ([{**SECTION, "fields": {"a": 1}}], "", "invalid_blocks"),
        ([{**SECTION, "accessory": [BUTTON]}], "", "invalid_blocks"),
        ([{**SECTION, "accessory": {**BUTTON, "style": {}}}], "", "invalid_blocks"),
        ([{**SECTION, "accessory": {**BUTTON, "action_id": {}}}], "", "invalid_blocks"),
        ([{"type": "section", "text": {"type": []}}], "", "invalid_blocks"),
        ([{"type": "actions", "elements": 5}], "", "invalid_blocks"),
        ([{"type": "input", "label": "Name", "element": {"type": "plain_text_input"}}], "", "invalid_blocks"),
        ([{"type": "input", "label": {"type": "plain_text", "text": "Name"}, "element": {"a": 1}}], "", "invalid_blocks"),
        (["section"], "", "invalid_blocks"),
    ],
)
async def test_what_is_not_sound_is_not_said(rig: Rig, client: AsyncWebClient, blocks: list[object] | None, text: str, error: str) -> None:
    call = client.api_call("chat.postMessage", json={"channel": rig.gold.id, "text": text, "blocks": blocks})
    assert await error_of(call) == error
    assert rig.ann.posts(rig.gold) == []


async def test_nobody_hears_the_bot_where_it_may_not_speak(rig: Rig, client: AsyncWebClient) -> None:
    ann, bo = rig.ann.id(rig.acme), rig.bo.id(rig.acme)
    rig.slack.model.app.messages_tab = False
    assert await error_of(client.chat_postMessage(channel=ann, text="x")) == "messages_tab_disabled"
    rig.slack.model.app.messages_tab = True
    assert await error_of(client.chat_postMessage(channel=str((await client.auth_test())["user_id"]), text="x")) == "cannot_dm_bot"
    rig.ann.deactivate(rig.acme, rig.bo)
    assert await error_of(client.chat_postMessage(channel=bo, text="x")) == "user_disabled"
    assert await error_of(client.conversations_open(users=bo)) == "user_disabled"
    rig.ann.archive(rig.gold)
    assert await error_of(client.chat_postMessage(channel=rig.gold.id, text="x")) == "is_archived"
    assert await error_of(client.chat_postMessage(channel="C0NOWHERE00", text="x")) == "channel_not_found"


async def test_a_link_to_a_message_names_its_channel(rig: Rig, client: AsyncWebClient) -> None:
    sent = await client.chat_postMessage(channel=rig.gold.id, text="one")
    link = (await client.chat_getPermalink(channel=rig.gold.id, message_ts=str(sent["ts"])))["permalink"]
    assert link == f"https://acme.slack.com/archives/{rig.gold.id}/p{sent['ts'].replace('.', '')}"


async def test_a_message_that_calls_people_is_seen_to_do_so(rig: Rig, client: AsyncWebClient) -> None:
    loud = {"type": "section", "text": {"type": "mrkdwn", "text": "<!channel> hear <@U123|ann>"}}
    plain = {"type": "section", "text": {"type": "plain_text", "text": "<!channel> hear"}}
    line = [{"type": "text", "text": "<!here>"}, {"type": "broadcast", "range": "here"}, {"type": "user", "user_id": "U123"}]
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": line}]}
    for blocks in ([loud], [plain], [rich]):
        await client.chat_postMessage(channel=rig.gold.id, text="<!here>", blocks=blocks)
    for text in ("<!here> hello", "&lt;!here&gt; hello"):
        await client.chat_postMessage(channel=rig.gold.id, text=text)
    assert [one.pings for one in rig.ann.posts(rig.gold)] == [["channel", "U123"], [], ["here", "U123"], ["here"], []]
