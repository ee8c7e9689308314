"""User groups: a whole list replaced at a time, never empty, on paid plans, by those who may."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Role
from sandbox.slack.people import CannotError
from sandbox.slack.usergroups import UserGroup
from tests.sandbox.slack.conftest import Rig, error_of


@pytest.fixture
def vips(rig: Rig) -> UserGroup:
    """A group with ann in it, which the app may change."""
    rig.acme.preferences.manage_groups = Role.MEMBER
    return rig.ann.create_group(rig.acme, "VIPs", "vips", [rig.ann])


async def test_an_update_replaces_everybody(rig: Rig, client: AsyncWebClient, vips: UserGroup) -> None:
    await client.usergroups_users_update(usergroup=vips.id, users=[rig.bo.id(rig.acme)])
    assert (await client.usergroups_users_list(usergroup=vips.id))["users"] == [rig.bo.id(rig.acme)]


async def test_a_group_cannot_be_emptied_but_disabled_and_enabled_again(rig: Rig, client: AsyncWebClient, vips: UserGroup) -> None:
    assert await error_of(client.usergroups_users_update(usergroup=vips.id, users=[])) == "no_users_provided"
    await client.usergroups_disable(usergroup=vips.id)
    assert await error_of(client.usergroups_users_list(usergroup=vips.id)) == "no_such_subteam"
    assert (await client.usergroups_list())["usergroups"] == []
    assert len((await client.usergroups_list(include_disabled=True))["usergroups"]) == 1
    await client.usergroups_enable(usergroup=vips.id)
    assert (await client.usergroups_users_list(usergroup=vips.id))["users"] == [rig.ann.id(rig.acme)]


async def test_guests_bots_strangers_and_the_deactivated_cannot_be_in_one(rig: Rig, client: AsyncWebClient, vips: UserGroup) -> None:
    guest, single, lounge = rig.slack.people.person("guest"), rig.slack.people.person("single"), rig.ann.create_channel(rig.acme, "lounge")
    rig.ann.invite_guest(rig.acme, guest, [lounge, rig.acme.general])
    rig.ann.invite_guest(rig.acme, single, [lounge])
    ann, bot = rig.ann.id(rig.acme), str((await client.auth_test())["user_id"])

    async def update(*users: str) -> str:
        return await error_of(client.usergroups_users_update(usergroup=vips.id, users=list(users)))

    assert await update(ann, guest.id(rig.acme)) == "invalid_users"
    assert await update(ann, bot) == "invalid_users"
    assert await update(ann, single.id(rig.acme)) == "single_channel_guests_cannot_be_added"
    assert await update("U0NOBODY000") == "invalid_users"
    assert await update(ann, "U0NOBODY000") == "failed_for_some_users"
    rig.ann.deactivate(rig.acme, rig.bo)
    assert await update(ann, rig.bo.id(rig.acme)) == "failed_for_some_users"
    assert vips.users == [ann]


async def test_a_group_has_a_largest_size(rig: Rig, client: AsyncWebClient, vips: UserGroup) -> None:
    rig.acme.preferences.group_size = 1
    users = [rig.ann.id(rig.acme), rig.bo.id(rig.acme)]
    assert await error_of(client.usergroups_users_update(usergroup=vips.id, users=users)) == "subteam_max_users_exceeded"


async def test_by_default_only_administrators_manage_groups_and_a_bot_is_none(rig: Rig, client: AsyncWebClient, vips: UserGroup) -> None:
    rig.acme.preferences.manage_groups = Role.ADMIN
    users = [rig.bo.id(rig.acme)]
    assert await error_of(client.usergroups_users_update(usergroup=vips.id, users=users)) == "permission_denied"
    token = rig.slack.people.user_token(rig.ann, rig.acme, "usergroups:write")
    await client.usergroups_users_update(usergroup=vips.id, users=users, token=token)
    assert vips.users == users


async def test_the_free_plan_has_none(rig: Rig) -> None:
    free = rig.slack.people.workspace(rig.ann, "Free", plan="free")
    client = AsyncWebClient(rig.slack.people.install(free), base_url=rig.served.api_url, retry_handlers=[])
    assert await error_of(client.usergroups_create(name="VIPs")) == "plan_upgrade_required"
    with pytest.raises(CannotError):
        rig.ann.create_group(free, "VIPs", "vips")
    with pytest.raises(CannotError):
        rig.ann.invite_guest(free, rig.bo, [free.general])


async def test_leaving_the_workspace_leaves_its_groups(rig: Rig, vips: UserGroup) -> None:
    vips.users.append(rig.bo.id(rig.acme))
    rig.ann.deactivate(rig.acme, rig.bo)
    assert vips.users == [rig.ann.id(rig.acme)]
