"""One suite for every platform: what the core may rely on. A platform's test subclasses it and provides the fixture ``world``."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import ClassVar, Protocol

import pytest

from core.commands import Audience, CommandKind, CommandReply, CommandRequest, CommandSpec, Option, OptionKind, ReplyButton
from core.errors import (
    ExternalError,
    InstallationRevoked,
    MemberUnreachable,
    PermissionMissing,
    Refusal,
    ResourceMissing,
    TransientError,
)
from core.ids import PlatformUserId
from core.platform import (
    AccountLinking,
    Admission,
    AdmissionOutcome,
    Channel,
    EventKind,
    LinkButton,
    Message,
    Person,
    PlatformAdapter,
    Probing,
    Resource,
    Space,
    Withdrawal,
)
from core.text import Bold
from sandbox.clock import VirtualClock
from tests.adapters.recorded import RecordedInbound

COMMANDS = (
    CommandSpec(
        ("doorman", "plan", "create"),
        "Sell a new plan",
        (
            Option("description", "What it gives", highest=200),
            Option("name", "The plan's name", required=True, highest=60),
            Option("role", "What it opens", OptionKind.RESOURCE, required=True),
            Option("days", "Trial days", OptionKind.INTEGER, lowest=0, highest=90),
        ),
        audience=Audience.CREATOR,
    ),
    CommandSpec(("doorman", "plan", "list"), "List the plans", audience=Audience.CREATOR),
    CommandSpec(("doorman", "setup"), "Settle the basics", (Option("notices", "Where to", OptionKind.CHANNEL),), audience=Audience.CREATOR),
    CommandSpec(("tip",), "Thank somebody", (Option("to", "Whom", OptionKind.USER, required=True),), private=False),
    CommandSpec(("status",), "What you have"),
    CommandSpec(("plan", "archive"), "Stop selling", audience=Audience.CREATOR, kind=CommandKind.BUTTON),
)
Answering = Callable[[CommandRequest], Awaitable[None]]


class World(Protocol):
    """A platform with one space of ours in it, seen from outside our adapter."""

    inbound: RecordedInbound
    clock: VirtualClock
    space: Space
    resource: Resource
    other: Resource
    channel: Channel
    creator: PlatformUserId

    @property
    def adapter(self) -> PlatformAdapter: ...
    def insider(self, name: str) -> PlatformUserId: ...
    def outsider(self, name: str) -> PlatformUserId: ...
    def held(self, user: PlatformUserId) -> frozenset[Resource]: ...
    def inside(self, user: PlatformUserId) -> bool: ...
    def give(self, user: PlatformUserId, resource: Resource) -> None: ...
    async def join(self, user: PlatformUserId) -> None: ...
    async def leave(self, user: PlatformUserId) -> None: ...
    async def accept(self, user: PlatformUserId, invite_url: str) -> bool: ...
    def ban(self, user: PlatformUserId) -> None: ...
    def close_messages(self, user: PlatformUserId) -> None: ...
    def inbox(self, user: PlatformUserId) -> list[str]: ...
    def posted(self) -> list[str]: ...
    async def delete(self, resource: Resource) -> None: ...
    async def put_out_of_reach(self, resource: Resource) -> None: ...
    async def make_dangerous(self, resource: Resource) -> None: ...
    async def forbid_managing(self) -> None: ...
    async def remove_us(self) -> None: ...
    async def ask(self, user: PlatformUserId, words: str, answer: Answering, **options: object) -> str: ...
    async def press(self, user: PlatformUserId, label: str, answer: Answering) -> str: ...
    async def sign_in(self, user: PlatformUserId) -> str: ...
    def outage(self) -> AbstractContextManager[None]: ...


class PlatformContract:
    """What holds on every platform. The class variables are a platform's own words for what can stand in the way."""

    missing: ClassVar = "role_missing"
    beyond: ClassVar = ("role_above_bot", "above")
    forbidden: ClassVar = ("missing_permission", "manage")
    shut_out: ClassVar = "banned"
    """What is said of somebody whom those who run the space have shut out."""

    # closing

    async def test_one_that_stopped_listening_takes_nothing_in_and_goes_on_giving(self, world: World) -> None:
        fan, newcomer = world.insider("fan"), world.outsider("newcomer")
        assert world.adapter.connected

        await world.adapter.stop_listening()
        await world.join(newcomer)
        await world.adapter.grant(world.resource, fan, reason="paid")

        assert not world.adapter.connected
        assert world.held(fan) == {world.resource}
        assert world.inbound.kinds(newcomer) == []
        await world.adapter.stop_listening()

    # holding

    async def test_a_grant_gives_that_resource_and_no_other(self, world: World) -> None:
        fan = world.insider("fan")

        await world.adapter.grant(world.resource, fan, reason="paid")

        assert world.held(fan) == {world.resource}
        assert await world.adapter.holds(world.space, fan) == frozenset({world.resource})

    async def test_granting_and_revoking_twice_is_the_same_as_once(self, world: World) -> None:
        fan = world.insider("fan")
        for _ in range(2):
            await world.adapter.grant(world.resource, fan, reason="paid")
        assert world.held(fan) == {world.resource}

        for _ in range(2):
            await world.adapter.revoke(world.resource, fan, reason="ended")
        assert world.held(fan) == frozenset()

    async def test_what_we_did_not_give_is_never_touched(self, world: World) -> None:
        fan = world.insider("fan")
        world.give(fan, world.other)

        await world.adapter.grant(world.resource, fan, reason="paid")
        assert world.held(fan) == {world.resource, world.other}
        await world.adapter.revoke(world.resource, fan, reason="ended")

        assert world.held(fan) == {world.other}

    async def test_someone_outside_can_neither_be_given_nor_relieved_of_anything(self, world: World) -> None:
        stranger = world.outsider("stranger")

        with pytest.raises(MemberUnreachable):
            await world.adapter.grant(world.resource, stranger, reason="paid")
        with pytest.raises(MemberUnreachable):
            await world.adapter.revoke(world.resource, stranger, reason="ended")
        assert await world.adapter.holds(world.space, stranger) is None

    async def test_holders_are_all_who_have_it_however_they_got_it(self, world: World) -> None:
        given, granted, _ = world.insider("given"), world.insider("granted"), world.insider("neither")
        world.give(given, world.resource)
        await world.adapter.grant(world.resource, granted, reason="paid")

        assert {user async for user in world.adapter.holders(world.resource)} == {given, granted}

    # what stands in the way

    async def test_a_sound_resource_passes_the_check(self, world: World) -> None:
        await world.adapter.check(world.resource)

    async def test_a_deleted_resource_is_missing(self, world: World) -> None:
        fan = world.insider("fan")
        await world.delete(world.resource)

        with pytest.raises(ResourceMissing):
            await world.adapter.grant(world.resource, fan, reason="paid")
        with pytest.raises(Refusal, match="does not exist") as refusal:
            await world.adapter.check(world.resource)
        assert refusal.value.code == self.missing

    async def test_a_resource_out_of_reach_is_refused_and_stays_where_it_is(self, world: World) -> None:
        fan = world.insider("fan")
        await world.adapter.grant(world.resource, fan, reason="paid")
        await world.put_out_of_reach(world.resource)

        code, words = self.beyond
        with pytest.raises(PermissionMissing, match=words) as refused:
            await world.adapter.revoke(world.resource, fan, reason="ended")
        assert refused.value.code == code
        assert world.held(fan) == {world.resource}
        with pytest.raises(Refusal) as refusal:
            await world.adapter.check(world.resource)
        assert refusal.value.code == code

    async def test_without_the_permission_the_message_names_the_permission(self, world: World) -> None:
        fan = world.insider("fan")
        await world.forbid_managing()

        code, words = self.forbidden
        with pytest.raises(PermissionMissing, match=words) as refused:
            await world.adapter.grant(world.resource, fan, reason="paid")
        assert refused.value.code == code
        with pytest.raises(Refusal) as refusal:
            await world.adapter.check(world.resource)
        assert refusal.value.code == code
        assert isinstance(world.adapter, Probing)
        assert await world.adapter.findings(world.space)

    async def test_a_resource_that_became_dangerous_is_given_to_nobody_but_can_be_taken(self, world: World) -> None:
        fan, late = world.insider("fan"), world.insider("late")
        await world.adapter.grant(world.resource, fan, reason="paid")
        await world.make_dangerous(world.resource)

        with pytest.raises(PermissionMissing) as refused:
            await world.adapter.grant(world.resource, late, reason="paid")
        assert refused.value.code == "dangerous_role"
        assert world.held(late) == frozenset()
        with pytest.raises(Refusal) as refusal:
            await world.adapter.check(world.resource)
        assert refusal.value.code == "dangerous_role"
        await world.adapter.revoke(world.resource, fan, reason="ended")
        assert world.held(fan) == frozenset()

    async def test_a_space_we_were_removed_from_says_so(self, world: World) -> None:
        fan = world.insider("fan")
        await world.remove_us()

        with pytest.raises(InstallationRevoked):
            await world.adapter.grant(world.resource, fan, reason="paid")
        await world.inbound.event(EventKind.SPACE_REMOVED)
        assert isinstance(world.adapter, Probing)
        assert any("Add it again" in finding for finding in await world.adapter.findings(world.space))

    async def test_an_outage_is_worth_another_try_and_nothing_is_left_of_it(self, world: World) -> None:
        fan = world.insider("fan")
        with world.outage():
            for call in (
                world.adapter.grant(world.resource, fan, reason="paid"),
                world.adapter.check(world.resource),
                world.adapter.holds(world.space, fan),
                world.adapter.send(Person(world.space, fan), Message("Hello", ())),
            ):
                with pytest.raises(TransientError):
                    await call

        await world.adapter.grant(world.resource, fan, reason="paid")
        assert world.held(fan) == {world.resource}

    # looking around

    async def test_the_pick_list_names_what_there_is(self, world: World) -> None:
        labels = {label.resource: label.name for label in await world.adapter.resources(world.space)}

        assert (labels[world.resource].lower(), labels[world.other].lower()) == ("gold", "silver")

    async def test_an_installation_in_order_has_no_findings(self, world: World) -> None:
        assert isinstance(world.adapter, Probing)
        assert list(await world.adapter.findings(world.space)) == []

    async def test_people_and_spaces_have_names_and_addresses(self, world: World) -> None:
        assert (await world.adapter.display(world.creator)).lower() == "ann"
        assert world.adapter.space_url(world.space).startswith("http")
        assert world.adapter.name == world.space.platform
        assert world.adapter.connected

    # messages

    async def test_a_person_gets_a_direct_message_which_can_be_changed(self, world: World) -> None:
        fan = world.insider("fan")

        ref = await world.adapter.send(Person(world.space, fan), Message("Welcome", (Bold("Gold"), " is on")))
        await world.adapter.send(Person(world.space, fan), Message("Second", ()))
        await world.adapter.edit(ref, Message("Changed", (), (LinkButton("Open", "https://example.com/open"),)))

        assert len(world.inbox(fan)) == 2
        assert "Changed" in world.inbox(fan)[0]
        assert "Second" in world.inbox(fan)[1]

    async def test_closed_direct_messages_are_the_members_to_open(self, world: World) -> None:
        fan = world.insider("fan")
        world.close_messages(fan)

        with pytest.raises(MemberUnreachable):
            await world.adapter.send(Person(world.space, fan), Message("Welcome", ()))
        assert world.inbox(fan) == []

    async def test_a_channel_gets_messages_until_it_is_gone(self, world: World) -> None:
        await world.adapter.send(world.channel, Message("Notice", ("Bob tipped 5 USD",)))

        assert "Bob tipped 5 USD" in world.posted()[-1]
        with pytest.raises(ResourceMissing):
            await world.adapter.send(Channel(world.space, "4"), Message("Notice", ()))

    # letting in

    async def test_a_payer_who_signed_in_is_put_inside_once(self, world: World) -> None:
        assert isinstance(world.adapter, AccountLinking)
        assert isinstance(world.adapter, Admission)
        stranger = world.outsider("stranger")
        account = await world.adapter.exchange(await world.sign_in(stranger), REDIRECT)
        assert (account.user, account.name.lower()) == (stranger, "stranger")
        assert account.token_expires_at is not None
        assert account.token_expires_at > world.clock.now()

        first = await world.adapter.admit(world.space, stranger, account.token, [world.resource], reason="paid")
        second = await world.adapter.admit(world.space, stranger, account.token, [world.resource], reason="paid")

        assert (first.outcome, second.outcome) == (AdmissionOutcome.ADMITTED, AdmissionOutcome.ALREADY_INSIDE)
        assert world.inside(stranger)
        await world.inbound.event(EventKind.MEMBER_JOINED, stranger)

    @pytest.mark.parametrize("token", [None, "a token that is no good"])
    async def test_without_a_good_token_there_is_an_invite_for_one_person(self, world: World, token: str | None) -> None:
        assert isinstance(world.adapter, Admission)
        fan, friend = world.outsider("fan"), world.outsider("friend")

        admitted = await world.adapter.admit(world.space, fan, token, [world.resource], reason="paid")

        assert admitted.outcome is AdmissionOutcome.INVITED
        assert not world.inside(fan)
        assert await world.accept(fan, admitted.invite_url)
        assert world.inside(fan)
        assert not await world.accept(friend, admitted.invite_url)
        await world.inbound.event(EventKind.MEMBER_JOINED, fan)

    async def test_a_withdrawn_invite_lets_nobody_in_and_may_be_withdrawn_again(self, world: World) -> None:
        if not isinstance(world.adapter, Withdrawal):
            pytest.skip("makes no invites that could be withdrawn")
        assert isinstance(world.adapter, Admission)
        fan = world.outsider("fan")
        admitted = await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")
        await world.adapter.withdraw(world.space, admitted.invite_url, reason="ended")
        await world.adapter.withdraw(world.space, admitted.invite_url, reason="ended")
        assert not await world.accept(fan, admitted.invite_url)
        assert not world.inside(fan)

    async def test_a_member_without_a_token_is_known_to_be_inside(self, world: World) -> None:
        assert isinstance(world.adapter, Admission)
        fan = world.insider("fan")

        admitted = await world.adapter.admit(world.space, fan, None, [world.resource], reason="paid")

        assert admitted.outcome is AdmissionOutcome.ALREADY_INSIDE

    async def test_an_invite_is_no_help_to_someone_banned(self, world: World) -> None:
        assert isinstance(world.adapter, Admission)
        assert isinstance(world.adapter, AccountLinking)
        fan = world.insider("fan")
        world.ban(fan)
        account = await world.adapter.exchange(await world.sign_in(fan), REDIRECT)

        with pytest.raises(MemberUnreachable, match=self.shut_out):
            await world.adapter.admit(world.space, fan, account.token, [world.resource], reason="paid")

    async def test_a_code_is_good_once(self, world: World) -> None:
        assert isinstance(world.adapter, AccountLinking)
        code = await world.sign_in(world.outsider("stranger"))
        await world.adapter.exchange(code, REDIRECT)

        with pytest.raises(Refusal, match="Go back") as refusal:
            await world.adapter.exchange(code, REDIRECT)
        assert refusal.value.code == "bad_code"

    async def test_the_browser_is_sent_off_with_our_state_and_address(self, world: World) -> None:
        assert isinstance(world.adapter, AccountLinking)

        url = world.adapter.authorize_url("the state", REDIRECT)

        assert "state=the+state" in url or "state=the%20state" in url
        assert "redirect_uri=" in url

    # what comes in

    async def test_the_space_introduces_itself_with_name_and_owner(self, world: World) -> None:
        event = await world.inbound.event(EventKind.SPACE_ADDED)

        assert (event.space, event.user, event.name) == (world.space, world.creator, "Club")

    async def test_coming_and_going_is_noticed_each_time(self, world: World) -> None:
        fan = world.outsider("fan")
        expected = []
        for _ in range(2):
            await world.join(fan)
            expected.append(EventKind.MEMBER_JOINED)
            await world.inbound.until(lambda: world.inbound.kinds(fan) == expected)
            await world.leave(fan)
            expected.append(EventKind.MEMBER_LEFT)
            await world.inbound.until(lambda: world.inbound.kinds(fan) == expected)

    async def test_a_change_of_the_resources_is_noticed(self, world: World) -> None:
        await world.inbound.event(EventKind.SPACE_ADDED)
        await world.make_dangerous(world.resource)

        assert (await world.inbound.event(EventKind.RESOURCES_CHANGED)).space == world.space

    async def test_a_command_comes_in_with_its_options_and_names(self, world: World) -> None:
        role = world.resource
        answer = await world.ask(world.creator, "doorman plan create", replying(world, "Made"), name="@everyone *Gold*", role=role, days=7)
        request = await world.inbound.request()

        assert "Made" in answer
        assert request.words == ("doorman", "plan", "create")
        assert request.options == {"name": "@everyone *Gold*", "role": role.external_id, "days": 7}
        assert request.labels[role.external_id].lower() == "gold"
        assert (request.user, request.user_name.lower()) == (world.creator, "ann")
        assert (request.space_external_id, request.space_name, request.realm) == (world.space.external_id, "Club", world.space.realm)
        assert request.can_manage
        assert request.handle.expires_at > world.clock.now()

    async def test_a_member_may_ask_but_not_manage(self, world: World) -> None:
        fan = world.insider("fan")

        await world.ask(fan, "status", replying(world, "Nothing yet"))

        assert not (await world.inbound.request()).can_manage

    async def test_a_person_option_comes_as_their_id_with_their_name(self, world: World) -> None:
        fan, friend = world.insider("fan"), world.insider("friend")

        await world.ask(fan, "tip", replying(world, "Thanked"), to=friend)
        request = await world.inbound.request()

        assert request.options == {"to": friend}
        assert request.labels[friend].lower() == "friend"

    async def test_a_button_runs_the_command_its_action_begins_with(self, world: World) -> None:
        async def answer(request: CommandRequest) -> None:
            button = ReplyButton("Archive", action="plan archive:p-1")
            await world.adapter.reply(request.handle, CommandReply("Plans", (), (button,)))

        await world.ask(world.creator, "doorman plan list", answer)
        said = await world.press(world.creator, "Archive", replying(world, "Archived"))
        request = await world.inbound.request()

        assert "Archived" in said
        assert request.words == ("plan", "archive")
        assert request.options == {"argument": "p-1"}

    async def test_an_answer_that_comes_too_late_arrives_as_a_direct_message(self, world: World) -> None:
        fan = world.insider("fan")
        await world.ask(fan, "status", replying(world, "First"))
        request = await world.inbound.request()
        world.clock.advance_to(request.handle.expires_at + timedelta(minutes=1))

        await world.adapter.reply(request.handle, CommandReply("Late", ("but here",)))

        assert "Late" in world.inbox(fan)[-1]
        assert "but here" in world.inbox(fan)[-1]

    async def test_errors_carry_no_secrets(self, world: World) -> None:
        fan = world.insider("fan")
        await world.ask(fan, "status", replying(world, "First"))
        handle = (await world.inbound.request()).handle
        with world.outage(), pytest.raises(ExternalError) as failed:
            await world.adapter.reply(handle, CommandReply("x", ()))

        assert not any(secret in str(failed.value) for secret in handle.data.values())


REDIRECT = "http://127.0.0.1:1/oauth/callback"


def replying(world: World, title: str) -> Answering:
    """Answer every command with ``title``."""

    async def answer(request: CommandRequest) -> None:
        await world.adapter.reply(request.handle, CommandReply(title, ()))

    return answer
