"""Whatever a client sends, the answer is one of Discord's: no route breaks on a body it did not expect."""

from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sandbox.clock import VirtualClock
from sandbox.discord import DiscordEmulator
from sandbox.discord import permissions as p
from sandbox.discord.birth import install_bot
from sandbox.discord.endpoints.call import Call, Endpoint
from sandbox.discord.errors import RefusedError
from sandbox.discord.interactions import start
from sandbox.discord.rest import ENDPOINTS

NAMES = st.sampled_from([
    "access_token", "allow",
    "allowed_mentions", "author", "choices", "color", "colors", "components", "content", "custom_id",
    "data", "default_member_permissions", "deny", "description", "embeds", "fields", "flags", "footer", "id", "label", "max_age",
    "max_uses",
    "name", "nick", "options", "parse", "permission_overwrites", "permissions", "position", "recipient_id", "required", "role_ids", "roles",
    "style", "text", "title", "type", "url", "users", "value",
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-5, 20) | st.text(max_size=8) | st.sampled_from(["5", "<@5>", "@everyone", 1 << 70, 1.5])
BODIES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=12)
OBJECTS = st.dictionaries(NAMES, BODIES, max_size=6)
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "after", "before", "query", "with_counts", "user_id", "action_type"]), st.text(max_size=4)
)


def called(endpoint: Endpoint, body: Any, query: dict[str, str]) -> None:  # noqa: ANN401 - any JSON
    emulator = DiscordEmulator(VirtualClock())
    world, ann = emulator.model, emulator.people.user("ann")
    server = emulator.people.guild(ann, "Place", roles=["Gold"])
    install_bot(world, server.guild, ann.id, p.ALL)
    server.raise_bot()
    said = ann.say(server, "hello")
    command = world.commands.put(world.ids, world.app.id, None, {"name": "tip", "description": "Tip"})[0]
    one = start(world, 2, ann.user, server.channel(), {"id": command["id"], "name": "tip", "type": 1})
    path = {
        "guild_id": server.id, "user_id": ann.id, "role_id": server.role("Gold").id, "channel_id": server.channel().id,
        "message_id": said.message.id, "application_id": world.app.id, "webhook_id": world.app.id, "overwrite_id": ann.id,
        "command_id": command["id"], "interaction_id": one.id, "interaction_token": one.token, "webhook_token": one.token,
        "code": server.invite(),
    }  # fmt: skip
    spots = {name: str(value) for name, value in path.items() if f"{{{name}}}" in endpoint.path}
    try:
        answer = endpoint.handler(Call(world, world.bot, spots, query, body))
    except RefusedError as refused:
        status = refused.status
    else:
        status = answer.status
    assert 200 <= status < 500


@pytest.mark.long
@settings(max_examples=150)
@given(body=OBJECTS | BODIES, query=QUERIES)
def test_no_body_and_no_query_breaks_a_route(body: Any, query: dict[str, str]) -> None:  # noqa: ANN401 - any JSON
    for endpoint in ENDPOINTS:  # all take the same bodies: making them up costs more than what they are for
        note(f"{endpoint.method} {endpoint.path}")
        called(endpoint, body, query)
