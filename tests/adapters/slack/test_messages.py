"""Messages to people and channels, and the names in them."""

from collections.abc import AsyncIterator

import pytest

from core.errors import PermanentError, PermissionMissing, Remedy
from core.platform import Channel, Message, Person
from core.text import Mention
from sandbox.clock import VirtualClock
from sandbox.slack import Role
from tests.adapters.slack.emulated import Emulated


@pytest.fixture
async def world(clock: VirtualClock) -> AsyncIterator[Emulated]:
    async with Emulated(clock).serving() as world:
        yield world


async def test_a_conversation_is_opened_once(world: Emulated) -> None:
    fan = world.insider("fan")
    for _ in range(2):
        await world.adapter.send(Person(world.space, fan), Message("Hello", ()))

    assert world.emulator.rest.count("conversations.open") == 1
    assert len(world.inbox(fan)) == 2


async def test_in_a_channel_a_person_is_named_and_not_called(world: Emulated) -> None:
    fan = world.insider("fan")
    ref = await world.adapter.send(world.channel, Message("Thanks", ("from ", Mention(fan))))
    await world.adapter.edit(ref, Message("Thanks again", ("from ", Mention(fan))))

    assert "from fan" in world.posted()[-1]
    assert f"<@{fan}>" not in world.posted()[-1]


async def test_with_us_alone_a_person_is_mentioned(world: Emulated) -> None:
    fan = world.insider("fan")
    await world.adapter.send(Person(world.space, fan), Message("Thanks", ("from ", Mention(fan))))

    assert f"<@{fan}>" in world.inbox(fan)[-1]


async def test_an_archived_channel_and_a_closed_messages_tab_name_who_must_act(world: Emulated) -> None:
    fan = world.insider("fan")
    world.rooms["notices"].archived = True
    with pytest.raises(PermissionMissing, match="archived"):
        await world.adapter.send(Channel(world.space, world.rooms["notices"].id), Message("x", ()))

    world.emulator.model.app.messages_tab = False
    with pytest.raises(PermanentError, match="Messages Tab") as refused:
        await world.adapter.send(Person(world.space, fan), Message("x", ()))
    assert refused.value.remedy is Remedy.OPERATOR


async def test_rights_are_remembered_for_a_minute_and_no_longer(world: Emulated) -> None:
    fan = world.insider("fan")
    people = world.adapter._people
    assert not (await people.of(world.space, fan)).can_manage
    world.ann.promote(world.club, world.people[fan], Role.ADMIN)
    assert not (await people.of(world.space, fan)).can_manage

    world.clock.advance_to(world.clock.now().replace(minute=2))
    assert (await people.of(world.space, fan)).can_manage
    assert world.emulator.rest.count("users.info") == 2
