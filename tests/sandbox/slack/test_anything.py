"""Whatever a client sends, the answer is one of Slack's: no method breaks on arguments it did not expect."""

from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sandbox.clock import VirtualClock
from sandbox.slack import Role, SlackEmulator, uses
from sandbox.slack.endpoints.call import Call, Endpoint
from sandbox.slack.errors import RefusedError
from sandbox.slack.rest import ENDPOINTS

NAMES = st.sampled_from([
    "accessory", "action_id", "block_id", "blocks", "channel", "channel_ids", "channels", "close", "code", "cursor",
    "description", "element", "elements", "email", "emails", "external_id", "fields", "force", "handle", "hash", "is_private",
    "is_restricted", "is_ultra_restricted", "label", "limit", "message_ts", "name", "options", "private_metadata", "style",
    "submit", "team_id", "text", "thread_ts", "title", "trigger_id", "ts", "type", "types", "url", "user", "user_id",
    "user_ids", "usergroup", "users", "value", "view", "view_id",
])  # fmt: skip
KINDS = st.sampled_from(["modal", "home", "section", "actions", "button", "plain_text", "mrkdwn", "input", "context", "header"])
LEAVES = st.none() | st.booleans() | st.integers(-5, 20) | st.text(max_size=8) | KINDS | st.sampled_from([1 << 70, 1.5, "{}", "[]"])
BODIES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=12)
BLOCKS = st.lists(st.builds(lambda kind, more: {**more, "type": kind}, KINDS, st.dictionaries(NAMES, BODIES, max_size=5)), max_size=3)
TITLED = {"title": {"type": "plain_text", "text": "A title"}, "submit": {"type": "plain_text", "text": "Send"}}
VIEWS = st.builds(
    lambda kind, blocks, more: {**TITLED, **more, "type": kind, "blocks": blocks}, KINDS, BLOCKS, st.dictionaries(NAMES, BODIES)
)
ARGUMENTS = st.builds(
    lambda sent, proper: {**sent, **proper},
    st.dictionaries(NAMES, BODIES, max_size=6),
    st.fixed_dictionaries({}, optional={"blocks": BLOCKS, "view": VIEWS}),
)
REAL = ("channel", "user", "users", "usergroup", "trigger_id", "ts", "team_id", "view_id", "user_id")


@pytest.mark.long
@settings(max_examples=100)
@given(sent=ARGUMENTS, real=st.sets(st.sampled_from(REAL)))
def test_every_method_answers_or_refuses_anything(sent: dict[str, Any], real: set[str]) -> None:
    for endpoint in ENDPOINTS.values():  # all take the same arguments: making them up costs twenty times what they are for
        note(endpoint.method)
        assert isinstance(answer(endpoint, sent, real), dict)


def answer(endpoint: Endpoint, sent: dict[str, Any], real: set[str]) -> object:
    """Return what a workspace of its own answers."""
    slack = SlackEmulator(VirtualClock())
    world, ann = slack.model, slack.people.person("ann")
    place = slack.people.workspace(ann, "Place", plan="enterprise")
    place.preferences.manage_groups = Role.MEMBER
    slack.people.install(place)
    gold = ann.create_channel(place, "gold", private=True)
    ann.add_app(gold)
    one = uses.command(world, place, ann.user(place), gold, "/doorman", "status")
    things = {
        "channel": gold.id,
        "user": ann.id(place),
        "users": ann.id(place),
        "usergroup": ann.create_group(place, "VIPs", "vips").id,
        "trigger_id": one.trigger_id,
        "ts": ann.say(gold, "hello").message.ts,
        "team_id": place.id,
        "view_id": "V0NOTHING00",
        "user_id": ann.id(place),
    }
    token = world.tokens.bot_token(place.id)
    arguments = sent | {name: things[name] for name in real}
    try:
        return endpoint.handler(Call(world, arguments, token))
    except RefusedError as refused:
        return refused.payload()
