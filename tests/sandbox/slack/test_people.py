"""People: how they come in, what the directory says of them, how they go, and each plan's difference."""

from datetime import timedelta

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Role
from sandbox.slack.errors import RefusedError
from sandbox.slack.people import CannotError
from tests.sandbox.slack.conftest import Rig, error_of


async def test_an_invite_link_lets_people_in_for_thirty_days(rig: Rig) -> None:
    cy, dee, link = rig.slack.people.person("cy"), rig.slack.people.person("dee"), rig.ann.invite_link(rig.acme)
    assert cy.accept(link) is rig.acme
    assert cy.reads(rig.acme.general)
    rig.clock.advance(timedelta(days=30))
    with pytest.raises(RefusedError, match="link_expired"):
        dee.accept(link)


async def test_an_invite_link_lets_four_hundred_people_in(rig: Rig) -> None:
    link = rig.ann.invite_link(rig.acme)
    for number in range(400):
        rig.slack.people.person(f"fan{number}").accept(link)
    with pytest.raises(RefusedError, match="link_expired"):
        rig.slack.people.person("late").accept(link)


async def test_a_revoked_link_lets_nobody_in_and_a_deactivated_member_never_comes_back_by_link(rig: Rig) -> None:
    link = rig.ann.invite_link(rig.acme)
    rig.ann.deactivate(rig.acme, rig.bo)
    with pytest.raises(RefusedError, match="user_disabled"):
        rig.bo.accept(link)
    rig.ann.revoke_link(link)
    with pytest.raises(RefusedError, match="link_revoked"):
        rig.slack.people.person("cy").accept(link)
    rig.ann.reactivate(rig.acme, rig.bo)
    assert rig.bo.reads(rig.acme.general)


async def test_a_link_opened_in_a_browser_joins_who_is_signed_in(rig: Rig, http: aiohttp.ClientSession) -> None:
    cy, link = rig.slack.people.person("cy"), rig.ann.invite_link(rig.acme)
    async with http.get(link, params={"as": "cy"}) as page:
        assert "Join Acme on Slack" in await page.text()
    async with http.post(link, headers={"Cookie": "sandbox_slack_person=cy"}) as page:
        assert (page.status, page.url.path) == (200, f"/client/{rig.acme.id}")
    assert cy.reads(rig.acme.general)


async def test_the_directory_finds_people_by_email_only_while_they_are_active(rig: Rig, client: AsyncWebClient) -> None:
    found = await client.users_lookupByEmail(email="BO@example.org")
    assert found["user"]["id"] == rig.bo.id(rig.acme)
    rig.ann.deactivate(rig.acme, rig.bo)
    assert await error_of(client.users_lookupByEmail(email="bo@example.org")) == "users_not_found"
    assert (await client.users_info(user=rig.bo.id(rig.acme)))["user"]["deleted"] is True
    assert await error_of(client.users_info(user="U0NOBODY000")) == "user_not_found"


async def test_email_addresses_are_for_tokens_with_the_scope(rig: Rig, client: AsyncWebClient) -> None:
    listed = (await client.users_list())["members"]
    assert {one["profile"].get("email") for one in listed if not one["is_bot"]} == {"ann@example.org", "bo@example.org"}
    token = rig.slack.people.user_token(rig.ann, rig.acme, "users:read")
    assert "email" not in (await client.users_info(user=rig.bo.id(rig.acme), token=token))["user"]["profile"]


async def test_roles_are_told_apart(rig: Rig, client: AsyncWebClient) -> None:
    guest = rig.slack.people.person("guest")
    rig.ann.invite_guest(rig.acme, guest, [rig.gold])
    ann, it = [(await client.users_info(user=one.id(rig.acme)))["user"] for one in (rig.ann, guest)]
    assert (ann["is_owner"], ann["is_primary_owner"], ann["is_admin"], ann["is_restricted"]) == (True, True, True, False)
    assert (it["is_restricted"], it["is_ultra_restricted"], it["is_admin"]) == (True, True, False)
    with pytest.raises(CannotError):
        rig.bo.deactivate(rig.acme, rig.ann)


async def test_only_an_organisation_invites_by_email_and_only_through_an_administrator(rig: Rig, client: AsyncWebClient) -> None:
    org = rig.slack.people.workspace(rig.ann, "Org", plan="enterprise", organisation="Acme Inc")
    channel = rig.ann.create_channel(org, "members", private=True)
    token = rig.slack.people.user_token(rig.ann, org, "admin.users:write")
    cy = rig.slack.people.person("cy")

    async def invite(token: str, team: str = org.id) -> None:
        await client.admin_users_invite(team_id=team, email=cy.email, channel_ids=[channel.id], token=token)

    assert await error_of(invite(rig.token)) == "not_allowed_token_type"
    pro = rig.slack.people.user_token(rig.ann, rig.acme, "admin.users:write")
    assert await error_of(invite(pro, rig.acme.id)) == "feature_not_enabled"
    rig.slack.people.join(rig.bo, org)
    assert await error_of(invite(rig.slack.people.user_token(rig.bo, org, "admin.users:write"))) == "not_an_admin"
    await invite(token)
    assert await error_of(invite(token)) == "already_in_team_invited_user"
    cy.accept_invitation(org)
    assert cy.reads(channel)
    assert await error_of(invite(token)) == "already_in_team"


async def test_somebody_of_the_organisation_who_is_not_in_this_workspace_has_a_word_of_their_own(rig: Rig) -> None:
    one = rig.slack.people.workspace(rig.ann, "One", plan="enterprise", organisation="Acme Inc")
    two = rig.slack.people.workspace(rig.ann, "Two", plan="enterprise", organisation="Acme Inc")
    rig.slack.people.join(rig.bo, two)
    client = AsyncWebClient(rig.slack.people.install(one), base_url=rig.served.api_url, retry_handlers=[])
    made = (await client.conversations_create(name="club", is_private=True))["channel"]["id"]
    assert await error_of(client.conversations_invite(channel=made, users=rig.bo.id(two))) == "org_user_not_in_team"
    assert rig.ann.id(one) == rig.ann.id(two)
    assert (await client.auth_test())["enterprise_id"] == (await client.team_info())["team"]["enterprise_id"]


@pytest.mark.parametrize(("plan", "status"), [("free", 403), ("pro", 403), ("business+", 200), ("enterprise", 200)])
async def test_scim_deactivates_members_where_the_plan_has_it(rig: Rig, http: aiohttp.ClientSession, plan: str, status: int) -> None:
    place = rig.slack.people.workspace(rig.ann, "Place", plan=plan)
    rig.slack.people.join(rig.bo, place)
    url = f"{rig.served.scim_url}/Users/{rig.bo.id(place)}"
    headers = {"Authorization": f"Bearer {rig.slack.people.user_token(rig.ann, place, 'admin')}"}
    patch = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
    async with http.patch(url, json=patch, headers=headers) as answer:
        assert answer.status == status
    assert rig.bo.reads(place.general) is (status == 403)
    async with http.delete(url, headers={"Authorization": "Bearer xoxp-made-up"}) as answer:
        assert answer.status == 401


async def test_scim_needs_the_admin_scope_and_an_administrator_and_spares_the_primary_owner(rig: Rig, http: aiohttp.ClientSession) -> None:
    place = rig.slack.people.workspace(rig.ann, "Place", plan="business+")
    rig.slack.people.join(rig.bo, place)

    async def delete(token: str, who: str) -> tuple[int, str]:
        async with http.delete(f"{rig.served.scim_url}/Users/{who}", headers={"Authorization": f"Bearer {token}"}) as answer:
            return answer.status, (await answer.json())["detail"] if answer.status != 204 else ""

    tokens = rig.slack.people.user_token
    assert await delete(tokens(rig.ann, place, "users:read"), rig.bo.id(place)) == (403, "missing_scope")
    assert await delete(tokens(rig.bo, place, "admin"), rig.ann.id(place)) == (403, "not_an_admin")
    assert await delete(tokens(rig.ann, place, "admin"), rig.ann.id(place)) == (403, "cannot_deactivate_primary_owner")
    assert await delete(tokens(rig.ann, place, "admin"), rig.bo.id(place)) == (204, "")
    assert not rig.bo.reads(place.general)


async def test_on_paid_plans_only_administrators_copy_invite_links_unless_told_otherwise(rig: Rig) -> None:
    free = rig.slack.people.workspace(rig.ann, "Free", plan="free")
    rig.slack.people.join(rig.bo, free)
    assert rig.slack.people.person("cy").accept(rig.bo.invite_link(free)) is free
    with pytest.raises(CannotError):
        rig.bo.invite_link(rig.acme)
    rig.acme.preferences.invite_people = Role.MEMBER
    assert rig.slack.people.person("dee").accept(rig.bo.invite_link(rig.acme)) is rig.acme
