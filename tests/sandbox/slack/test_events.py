"""Which events the app is told of: those it subscribed to, may see, and is there for."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import Manifest, Role, SlackEmulator
from sandbox.slack.manifest import read_manifest
from sandbox.slack.world import Outbound
from tests.sandbox.slack.conftest import Rig


class Told:
    """What was sent to the app, without a transport."""

    def __init__(self, slack: SlackEmulator) -> None:
        self.events: list[dict[str, object]] = []
        slack.model.send = self.take

    def take(self, what: Outbound) -> None:
        self.events.append(what.payload["event"])

    @property
    def kinds(self) -> list[object]:
        return [one["type"] for one in self.events]


@pytest.fixture
def told(rig: Rig) -> Told:
    return Told(rig.slack)


async def test_coming_and_going_in_a_private_channel_is_told(rig: Rig, told: Told, client: AsyncWebClient) -> None:
    bo = rig.bo.id(rig.acme)
    await client.conversations_invite(channel=rig.gold.id, users=bo)
    rig.bo.leave(rig.gold)
    joined, left = told.events
    assert (joined["type"], joined["user"], joined["channel"], joined["channel_type"]) == ("member_joined_channel", bo, rig.gold.id, "G")
    assert joined["inviter"] == (rig.acme.bot.id if rig.acme.bot else "")
    assert (left["type"], left["user"], "inviter" in left) == ("member_left_channel", bo, False)


async def test_nothing_is_told_of_channels_the_bot_is_not_in(rig: Rig, told: Told) -> None:
    secret = rig.ann.create_channel(rig.acme, "secret", private=True)
    rig.ann.add_to_channel(secret, rig.bo)
    rig.ann.archive(secret)
    assert told.kinds == []


async def test_a_channels_life_is_told_by_its_kind(rig: Rig, told: Told) -> None:
    lounge = rig.ann.create_channel(rig.acme, "lounge")
    rig.ann.rename_channel(lounge, "lobby")
    for channel in (lounge, rig.gold):
        rig.ann.archive(channel)
        rig.ann.unarchive(channel)
        rig.ann.delete_channel(channel)
    expected = ["channel_created", "channel_rename"] + [f"{kind}_{what}" for kind in ("channel", "group") for what in LIFE]
    assert told.kinds == expected


LIFE = ("archive", "unarchive", "deleted")


async def test_changes_of_people_are_told(rig: Rig, told: Told) -> None:
    rig.ann.promote(rig.acme, rig.bo)
    rig.ann.deactivate(rig.acme, rig.bo)
    assert told.kinds == ["user_change", "user_change"]
    assert [one["user"]["deleted"] for one in told.events] == [False, True]  # type: ignore[index]


async def test_a_changed_group_is_told_with_who_came_and_went(rig: Rig, told: Told, client: AsyncWebClient) -> None:
    rig.acme.preferences.manage_groups = Role.MEMBER
    vips = rig.ann.create_group(rig.acme, "VIPs", "vips", [rig.ann])
    await client.usergroups_users_update(usergroup=vips.id, users=[rig.bo.id(rig.acme)])
    await client.usergroups_disable(usergroup=vips.id)
    assert told.kinds == ["subteam_created", "subteam_updated", "subteam_members_changed", "subteam_updated"]
    changed = told.events[2]
    assert (changed["added_users"], changed["removed_users"]) == ([rig.bo.id(rig.acme)], [rig.ann.id(rig.acme)])


async def test_revoking_the_last_token_is_the_end_of_the_installation(rig: Rig, told: Told, client: AsyncWebClient) -> None:
    await client.auth_revoke()
    assert told.kinds == ["tokens_revoked", "app_uninstalled"]
    assert not rig.acme.installed


async def test_what_is_not_subscribed_or_not_in_scope_is_not_told(rig: Rig, told: Told) -> None:
    rig.slack.model.app.events = frozenset({"team_join"})
    rig.ann.deactivate(rig.acme, rig.bo)
    assert told.kinds == []
    rig.slack.model.app.bot_scopes = frozenset({"commands"})
    other = rig.slack.people.workspace(rig.ann, "Other")
    rig.slack.people.install(other)
    rig.slack.people.join(rig.slack.people.person("cy"), other)
    assert told.kinds == []
    rig.slack.people.join(rig.slack.people.person("dee"), rig.acme)
    assert told.kinds == ["team_join"]


def test_a_manifest_document_configures_the_app() -> None:
    made = read_manifest(
        {
            "display_information": {"name": "Gate"},
            "features": {
                "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
                "slash_commands": [{"command": "/gate", "description": "x", "should_escape": True}],
            },
            "oauth_config": {"redirect_urls": ["http://127.0.0.1:9/back"], "scopes": {"bot": ["commands", "users:read"]}},
            "settings": {"event_subscriptions": {"bot_events": ["team_join"]}, "token_rotation_enabled": True},
        }
    )
    assert made == Manifest(
        "Gate",
        frozenset({"commands", "users:read"}),
        frozenset(),
        frozenset({"team_join"}),
        frozenset({"/gate"}),
        frozenset({"/gate"}),
        ("http://127.0.0.1:9/back",),
        messages_tab=True,
        socket_mode=False,
        token_rotation=True,
    )


def test_a_manifest_with_a_scope_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="world:domination"):
        read_manifest({"oauth_config": {"scopes": {"bot": ["world:domination"]}}})
