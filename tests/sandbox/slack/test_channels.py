"""Channels: who is in, who may bring in or out, and what each refusal is called."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Role
from sandbox.slack.people import CannotError
from tests.sandbox.slack.conftest import Rig, error_of


async def test_an_invited_member_reads_a_private_channel_until_they_are_kicked(rig: Rig, client: AsyncWebClient) -> None:
    bo = rig.bo.id(rig.acme)
    assert not rig.bo.reads(rig.gold)
    await client.conversations_invite(channel=rig.gold.id, users=[bo])
    assert rig.bo.reads(rig.gold)
    await client.conversations_kick(channel=rig.gold.id, user=bo)
    assert not rig.bo.reads(rig.gold)
    assert rig.slack.model.hold_moments[rig.gold.id, bo][0] is False


async def test_inviting_or_kicking_twice_says_so(rig: Rig, client: AsyncWebClient) -> None:
    bo = rig.bo.id(rig.acme)
    await client.conversations_invite(channel=rig.gold.id, users=bo)
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=bo)) == "already_in_channel"
    await client.conversations_kick(channel=rig.gold.id, user=bo)
    assert await error_of(client.conversations_kick(channel=rig.gold.id, user=bo)) == "not_in_channel"


async def test_one_bad_name_fails_an_invitation_of_many_unless_forced(rig: Rig, client: AsyncWebClient) -> None:
    users = [rig.bo.id(rig.acme), "U0NOBODY000"]
    with pytest.raises(SlackApiError) as refused:
        await client.conversations_invite(channel=rig.gold.id, users=users)
    assert refused.value.response["error"] == "user_not_found"
    assert refused.value.response["errors"] == [{"user": "U0NOBODY000", "ok": False, "error": "user_not_found"}]
    assert not rig.bo.reads(rig.gold)
    answer = await client.conversations_invite(channel=rig.gold.id, users=users, force=True)
    assert answer["errors"][0]["user"] == "U0NOBODY000"
    assert rig.bo.reads(rig.gold)


async def test_a_hundred_are_invited_at_once_and_not_one_more(rig: Rig, client: AsyncWebClient) -> None:
    fans = [rig.slack.people.person(f"fan{number}") for number in range(101)]
    for fan in fans:
        rig.slack.people.join(fan, rig.acme)
    ids = [fan.id(rig.acme) for fan in fans]
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=ids)) == "too_many_users"
    await client.conversations_invite(channel=rig.gold.id, users=ids[:100])
    assert sum(fan.reads(rig.gold) for fan in fans) == 100


async def test_the_bot_sees_a_private_channel_only_from_inside(rig: Rig, client: AsyncWebClient) -> None:
    bo = rig.bo.id(rig.acme)
    rig.ann.remove_app(rig.gold)
    for call in (
        client.conversations_invite(channel=rig.gold.id, users=bo),
        client.conversations_kick(channel=rig.gold.id, user=bo),
        client.conversations_info(channel=rig.gold.id),
        client.conversations_members(channel=rig.gold.id),
    ):
        assert await error_of(call) == "channel_not_found"


async def test_in_a_public_channel_the_bot_must_be_a_member_to_invite(rig: Rig, client: AsyncWebClient) -> None:
    lounge = rig.ann.create_channel(rig.acme, "lounge")
    assert await error_of(client.conversations_invite(channel=lounge.id, users=rig.bo.id(rig.acme))) == "not_in_channel"
    await client.conversations_join(channel=lounge.id)
    await client.conversations_invite(channel=lounge.id, users=rig.bo.id(rig.acme))
    assert rig.bo.id(rig.acme) in lounge.members


async def test_by_default_only_administrators_remove_people_from_public_channels(rig: Rig, client: AsyncWebClient) -> None:
    lounge = rig.ann.create_channel(rig.acme, "lounge")
    rig.ann.add_app(lounge)
    rig.ann.add_to_channel(lounge, rig.bo)
    assert await error_of(client.conversations_kick(channel=lounge.id, user=rig.bo.id(rig.acme))) == "restricted_action"
    rig.acme.preferences.remove_from_public = Role.MEMBER
    await client.conversations_kick(channel=lounge.id, user=rig.bo.id(rig.acme))


async def test_a_preference_can_forbid_the_bot_to_kick_and_the_owner_still_can(rig: Rig, client: AsyncWebClient) -> None:
    await client.conversations_invite(channel=rig.gold.id, users=rig.bo.id(rig.acme))
    rig.acme.preferences.remove_from_private = Role.OWNER
    assert await error_of(client.conversations_kick(channel=rig.gold.id, user=rig.bo.id(rig.acme))) == "restricted_action"
    rig.ann.remove_from_channel(rig.gold, rig.bo)
    assert not rig.bo.reads(rig.gold)


async def test_what_cannot_be_kicked_or_invited_has_a_word_each(rig: Rig, client: AsyncWebClient) -> None:
    me, general = str((await client.auth_test())["user_id"]), rig.acme.general
    assert await error_of(client.conversations_kick(channel=rig.gold.id, user=me)) == "cant_kick_self"
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=me)) == "cant_invite_self"
    assert await error_of(client.conversations_kick(channel=general.id, user=rig.bo.id(rig.acme))) == "cant_kick_from_general"
    assert await error_of(client.conversations_kick(channel=rig.gold.id, user="U0NOBODY000")) == "user_not_found"
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users="")) == "no_user"
    assert await error_of(client.api_call("conversations.invite", params={"channel": rig.gold.id})) == "invalid_arguments"
    rig.ann.archive(rig.gold)
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=rig.bo.id(rig.acme))) == "is_archived"
    assert await error_of(client.conversations_kick(channel=rig.gold.id, user=rig.ann.id(rig.acme))) == "is_archived"


async def test_a_deactivated_member_is_in_no_channel_and_cannot_be_invited(rig: Rig, client: AsyncWebClient) -> None:
    await client.conversations_invite(channel=rig.gold.id, users=rig.bo.id(rig.acme))
    rig.ann.deactivate(rig.acme, rig.bo)
    assert rig.bo.id(rig.acme) not in (await client.conversations_members(channel=rig.gold.id))["members"]
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=rig.bo.id(rig.acme))) == "user_disabled"
    assert not rig.bo.reads(rig.gold)


async def test_a_single_channel_guest_stays_in_a_single_channel(rig: Rig, client: AsyncWebClient) -> None:
    guest, lounge = rig.slack.people.person("guest"), rig.ann.create_channel(rig.acme, "lounge")
    rig.ann.invite_guest(rig.acme, guest, [lounge])
    assert await error_of(client.conversations_invite(channel=rig.gold.id, users=guest.id(rig.acme))) == "ura_max_channels"
    assert not guest.reads(rig.acme.general)
    assert guest.reads(lounge)


async def test_members_come_in_pages_and_a_made_up_cursor_is_refused(rig: Rig, client: AsyncWebClient) -> None:
    for number in range(7):
        fan = rig.slack.people.person(f"fan{number}")
        rig.slack.people.join(fan, rig.acme)
        rig.ann.add_to_channel(rig.gold, fan)
    seen: list[str] = []
    async for page in await client.conversations_members(channel=rig.gold.id, limit=4):
        assert len(page["members"]) <= 4
        seen += page["members"]
    assert seen == list(rig.gold.members)
    assert await error_of(client.conversations_members(channel=rig.gold.id, cursor="made up")) == "invalid_cursor"
    assert await error_of(client.conversations_members(channel=rig.gold.id, limit=1001)) == "invalid_limit"


async def test_lists_show_public_channels_and_the_private_ones_one_is_in(rig: Rig, client: AsyncWebClient) -> None:
    hidden = rig.ann.create_channel(rig.acme, "hidden", private=True)
    shown = await client.conversations_list(types="public_channel,private_channel")
    assert {one["name"] for one in shown["channels"]} == {"general", "gold"}
    mine = await client.users_conversations(types="private_channel")
    assert [one["id"] for one in mine["channels"]] == [rig.gold.id]
    rig.ann.archive(rig.gold)
    left = await client.conversations_list(types="private_channel", exclude_archived=True)
    assert left["channels"] == []
    assert hidden.id in rig.acme.channels


async def test_the_bot_makes_a_private_channel_and_is_its_only_member(rig: Rig, client: AsyncWebClient) -> None:
    made = (await client.conversations_create(name="club", is_private=True))["channel"]
    assert (made["is_private"], made["is_member"]) == (True, True)
    members = (await client.conversations_members(channel=made["id"]))["members"]
    assert members == [(await client.auth_test())["user_id"]]
    assert await error_of(client.conversations_create(name="club")) == "name_taken"
    assert await error_of(client.conversations_create(name="Not Allowed")) == "invalid_name_specials"
    rig.acme.preferences.create_private = Role.ADMIN
    assert await error_of(client.conversations_create(name="another", is_private=True)) == "restricted_action"


async def test_any_member_of_a_private_channel_may_add_others_and_no_one_else(rig: Rig) -> None:
    cy = rig.slack.people.person("cy")
    rig.slack.people.join(cy, rig.acme)
    with pytest.raises(CannotError):
        rig.bo.add_to_channel(rig.gold, cy)
    rig.ann.add_to_channel(rig.gold, rig.bo)
    rig.bo.add_to_channel(rig.gold, cy)
    assert cy.reads(rig.gold)


async def test_slack_connect_needs_a_paid_plan(rig: Rig, client: AsyncWebClient) -> None:
    answer = await client.conversations_inviteShared(channel=rig.gold.id, emails="stranger@example.org")
    assert answer["invite_id"].startswith("I0")
    assert rig.gold.shared_invites[0]["to"] == "stranger@example.org"
    free = rig.slack.people.workspace(rig.ann, "Free", plan="free")
    poor = AsyncWebClient(rig.slack.people.install(free), base_url=rig.served.api_url, retry_handlers=[])
    assert await error_of(poor.conversations_inviteShared(channel=free.general.id, emails="a@example.org")) == "not_paid"
