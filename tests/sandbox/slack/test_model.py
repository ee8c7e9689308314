"""What holds whatever people, the app and administrators do to each other."""

import contextlib

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sandbox.clock import VirtualClock
from sandbox.slack import Role, SlackEmulator
from sandbox.slack.endpoints.call import Call
from sandbox.slack.errors import Payload, RefusedError
from sandbox.slack.people import CannotError
from sandbox.slack.rest import ENDPOINTS

NAMES = ("bo", "cy", "dee")
WHO = st.sampled_from(NAMES)


class Workspace(RuleBasedStateMachine):
    """Three people, a private channel, a user group, our bot, and an owner."""

    def __init__(self) -> None:
        super().__init__()
        self.slack = SlackEmulator(VirtualClock(), seed=1)
        self.ann = self.slack.people.person("ann")
        self.place = self.slack.people.workspace(self.ann, "Place", plan="business+")
        self.place.preferences.manage_groups = Role.MEMBER
        self.people = {name: self.slack.people.person(name) for name in NAMES}
        for person in self.people.values():
            self.slack.people.join(person, self.place)
        self.slack.people.install(self.place)
        self.gold = self.ann.create_channel(self.place, "gold", private=True)
        self.ann.add_app(self.gold)
        self.vips = self.ann.create_group(self.place, "VIPs", "vips", [self.ann])

    def call(self, method: str, **arguments: object) -> Payload | str:
        token = self.slack.model.tokens.bot_token(self.place.id)
        try:
            return ENDPOINTS[method].handler(Call(self.slack.model, dict(arguments), token))
        except RefusedError as refused:
            return refused.error

    @rule(who=WHO)
    def invite(self, who: str) -> None:
        self.call("conversations.invite", channel=self.gold.id, users=self.people[who].id(self.place))

    @rule(who=WHO)
    def kick(self, who: str) -> None:
        self.call("conversations.kick", channel=self.gold.id, user=self.people[who].id(self.place))
        assert self.people[who].id(self.place) not in self.gold.members or self.gold.archived

    @rule(who=WHO, other=WHO)
    def add(self, who: str, other: str) -> None:
        with contextlib.suppress(CannotError):
            self.people[who].add_to_channel(self.gold, self.people[other])

    @rule(users=st.sets(WHO))
    def group(self, users: set[str]) -> None:
        ids = [self.people[one].id(self.place) for one in sorted(users)]
        answer = self.call("usergroups.users.update", usergroup=self.vips.id, users=",".join(ids))
        if users:
            assert isinstance(answer, str) or self.vips.users == ids
        else:
            assert answer == "no_users_provided"

    @rule(who=WHO)
    def deactivate(self, who: str) -> None:
        with contextlib.suppress(CannotError):
            self.ann.deactivate(self.place, self.people[who])

    @rule(who=WHO)
    def reactivate(self, who: str) -> None:
        with contextlib.suppress(RefusedError):
            self.ann.reactivate(self.place, self.people[who])

    @rule()
    def archive_and_bring_back(self) -> None:
        self.ann.archive(self.gold)
        self.ann.unarchive(self.gold)

    @invariant()
    def the_deactivated_hold_nothing(self) -> None:
        for user in self.place.users.values():
            if user.deleted:
                assert user.id not in self.vips.users
                assert all(user.id not in channel.members or channel.is_im for channel in self.place.channels.values())

    @invariant()
    def channels_and_users_agree(self) -> None:
        for user in self.place.users.values():
            assert user.channels == {one.id for one in self.place.channels.values() if user.id in one.members and not one.is_im}

    @invariant()
    def the_last_moment_noted_says_who_is_in(self) -> None:
        for (where, user_id), (held, _) in self.slack.model.hold_moments.items():
            if where == self.gold.id:
                assert held is (user_id in self.gold.members)


Workspace.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestWorkspace = Workspace.TestCase


def test_the_same_seed_makes_the_same_world() -> None:
    def made(seed: int) -> list[str]:
        slack = SlackEmulator(VirtualClock(), seed=seed)
        ann = slack.people.person("ann")
        place = slack.people.workspace(ann, "Place")
        return [place.id, ann.id(place), slack.people.install(place), slack.model.app.signing_secret]

    assert made(3) == made(3)
    assert made(3) != made(4)


def test_the_primary_owner_cannot_be_deactivated() -> None:
    slack = SlackEmulator(VirtualClock())
    ann = slack.people.person("ann")
    place = slack.people.workspace(ann, "Place")
    with pytest.raises(RefusedError, match="primary_owner"):
        ann.deactivate(place, ann)


def test_times_of_messages_never_repeat_and_never_run_back() -> None:
    slack = SlackEmulator(VirtualClock())
    ann = slack.people.person("ann")
    place = slack.people.workspace(ann, "Place")
    times = [ann.say(place.general, str(number)).message.ts for number in range(100)]
    assert times == sorted(set(times))
