from datetime import timedelta

import pytest

from core.errors import InstallationRevoked
from core.platform import EventKind, Message, Person, Resource, ResourceKind
from sandbox.slack.plans import Role
from sandbox.slack.world import Outbound
from storage.credentials import CredentialStore
from tests.adapters.slack.house import House


async def settled(house: House) -> list[EventKind]:
    """Wait until all that was told has been taken, and return what was made of it."""
    await house.emulator.settled()
    assert all(one.failure is None for one in house.emulator.deliveries.made)
    return house.kinds()


async def test_coming_leaving_and_coming_back_are_told_with_whom(house: House) -> None:
    fan = house.emulator.people.person("fan")
    house.emulator.people.join(fan, house.club)
    house.ann.deactivate(house.club, fan)
    house.ann.reactivate(house.club, fan)

    assert await settled(house) == [EventKind.MEMBER_JOINED, EventKind.MEMBER_LEFT, EventKind.MEMBER_JOINED]
    assert {event.user for event in house.inbox.events} == {house.user(fan)}
    assert {event.space for event in house.inbox.events} == {house.space}


async def test_a_changed_profile_is_nothing_to_us(house: House) -> None:
    house.ann.promote(house.club, house.bob, Role.ADMIN)

    assert await settled(house) == []
    assert [one.name for one in house.emulator.deliveries.made] == ["user_change"]


async def test_a_channel_that_changes_is_told_and_who_comes_into_it_is_not(house: House) -> None:
    gold = house.ann.create_channel(house.club, "gold", private=True)
    house.ann.add_app(gold)
    assert await settled(house) == [EventKind.RESOURCES_CHANGED]

    house.ann.add_to_channel(gold, house.bob)
    house.ann.remove_from_channel(gold, house.bob)
    assert await settled(house) == [EventKind.RESOURCES_CHANGED]

    house.ann.rename_channel(gold, "golden")
    house.ann.archive(gold)
    house.ann.unarchive(gold)
    assert await settled(house) == [EventKind.RESOURCES_CHANGED] * 4
    assert {event.id[:2] for event in house.inbox.events} == {"Ev"}


async def test_a_user_group_that_we_change_ourselves_is_no_news(house: House) -> None:
    group = house.ann.create_group(house.club, "Gold", "gold", [house.ann])
    sold = Resource(house.space, ResourceKind.USER_GROUP, group.id)
    house.club.preferences.manage_groups = Role.MEMBER
    await house.adapter.apply(sold, frozenset({house.user(house.bob)}), frozenset(), reason="paid")
    assert house.user(house.bob) in group.users
    assert await settled(house) == []


async def test_being_taken_out_is_told_and_the_token_forgotten(house: House, store: CredentialStore) -> None:
    subject = house.club.id
    assert await store.get(house.adapter.name, subject, "installation") is not None

    house.ann.uninstall(house.club)

    assert set(await settled(house)) == {EventKind.SPACE_REMOVED}
    assert await store.get(house.adapter.name, subject, "installation") is None
    with pytest.raises(InstallationRevoked):
        await house.adapter.send(Person(house.space, house.user(house.bob)), Message("Hello", ()))


async def test_a_removal_told_late_does_not_undo_a_new_installation(house: House, store: CredentialStore) -> None:
    late: list[Outbound] = []
    house.emulator.model.send, deliver = late.append, house.emulator.model.send
    house.ann.uninstall(house.club)
    house.emulator.model.send = deliver
    house.clock.advance(timedelta(minutes=5))
    await house.install()

    for what in late:
        deliver(what)

    assert await settled(house) == []
    assert await store.get(house.adapter.name, house.club.id, "installation") is not None


async def test_a_removal_that_cannot_be_stored_keeps_the_token_until_it_can(house: House, store: CredentialStore) -> None:
    house.inbox.failures = 4
    house.ann.uninstall(house.club)
    await house.emulator.settled()
    assert house.kinds() == []
    assert await store.get(house.adapter.name, house.club.id, "installation") is not None

    house.clock.advance(timedelta(minutes=1))
    await house.emulator.settled()

    assert set(house.kinds()) == {EventKind.SPACE_REMOVED}
    assert await store.get(house.adapter.name, house.club.id, "installation") is None
