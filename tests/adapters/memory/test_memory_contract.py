from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.commands import CommandRequest
from core.errors import TransientError
from core.ids import PlatformUserId
from core.platform import EventKind, Resource
from sandbox.clock import VirtualClock
from sandbox.memory import MemoryAdapter, MemoryWorld
from tests.adapters.contract import COMMANDS, Answering, PlatformContract
from tests.adapters.recorded import RecordedInbound


class InMemory:
    """The memory platform as the contract sees a platform."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.model = MemoryWorld()
        self.creator = self.model.person("Ann")
        self.space = self.model.space("Club", self.creator)
        self.resource, self.other = self.model.thing(self.space, "Gold"), self.model.thing(self.space, "Silver")
        self.channel = self.model.channel(self.space)
        self.adapter = MemoryAdapter(self.model, clock)
        self.inbound = RecordedInbound(COMMANDS)
        self.place = self.model.places[self.space.external_id]

    def insider(self, name: str) -> PlatformUserId:
        user = self.model.person(name)
        self.place.members[user] = set()
        return user

    def outsider(self, name: str) -> PlatformUserId:
        return self.model.person(name)

    def held(self, user: PlatformUserId) -> frozenset[Resource]:
        return self.model.held(self.space, user)

    def inside(self, user: PlatformUserId) -> bool:
        return user in self.place.members

    def give(self, user: PlatformUserId, resource: Resource) -> None:
        self.place.members[user].add(resource.external_id)

    async def join(self, user: PlatformUserId) -> None:
        await self.adapter.join(self.space, user)

    async def leave(self, user: PlatformUserId) -> None:
        await self.adapter.leave(self.space, user)

    async def accept(self, user: PlatformUserId, invite_url: str) -> bool:
        try:
            self.model.accept(self.space, user, invite_url.rsplit("/", 1)[1])
        except PermissionError:
            return False
        await self.adapter.join(self.space, user)
        return True

    def ban(self, user: PlatformUserId) -> None:
        self.place.members.pop(user)
        self.place.banned.add(user)

    def close_messages(self, user: PlatformUserId) -> None:
        self.model.people[user].open = False

    def inbox(self, user: PlatformUserId) -> list[str]:
        return self.model.people[user].inbox

    def posted(self) -> list[str]:
        return self.place.channels[self.channel.external_id]

    async def delete(self, resource: Resource) -> None:
        del self.place.things[resource.external_id]

    async def put_out_of_reach(self, resource: Resource) -> None:
        self.place.things[resource.external_id].reachable = False

    async def make_dangerous(self, resource: Resource) -> None:
        self.place.things[resource.external_id].safe = False
        await self.adapter.happens(EventKind.RESOURCES_CHANGED, self.space)

    async def forbid_managing(self) -> None:
        self.place.may_manage = False

    async def remove_us(self) -> None:
        self.place.ours = False
        await self.adapter.happens(EventKind.SPACE_REMOVED, self.space)

    async def ask(self, user: PlatformUserId, words: str, answer: Answering, **options: object) -> str:
        plain = {name: value.external_id if isinstance(value, Resource) else value for name, value in options.items()}
        return await self._answered(await self.adapter.ask(self.space, user, words, **plain), answer)

    async def press(self, user: PlatformUserId, label: str, answer: Answering) -> str:
        buttons = [button for reply in self.adapter.answers.values() for button in reply.buttons if button.label == label]
        name, _, argument = buttons[-1].action.partition(":")
        return await self._answered(await self.adapter.ask(self.space, user, name, argument=argument), answer)

    async def _answered(self, request: CommandRequest, answer: Answering) -> str:
        await answer(request)
        return self.adapter.answers[request.id].title

    async def sign_in(self, user: PlatformUserId) -> str:
        return self.model.sign_in(user)

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.adapter.down = TransientError("The platform is down.")
        yield
        self.adapter.down = None


class TestMemory(PlatformContract):
    @pytest.fixture
    async def world(self, clock: VirtualClock) -> InMemory:
        world = InMemory(clock)
        await world.adapter.start(world.inbound)
        return world


async def test_calls_are_remembered_and_only_some_of_them_change_anything(clock: VirtualClock) -> None:
    world = InMemory(clock)
    fan = world.insider("fan")

    await world.adapter.holds(world.space, fan)
    await world.adapter.grant(world.resource, fan, reason="paid")

    assert [(call.verb, call.user) for call in world.adapter.calls] == [("holds", fan), ("grant", fan)]
    assert [call.verb for call in world.adapter.changes] == ["grant"]


async def test_a_planned_failure_strikes_once(clock: VirtualClock) -> None:
    world = InMemory(clock)
    fan = world.insider("fan")
    world.adapter.failures.append(TransientError("no answer"))

    with pytest.raises(TransientError, match="no answer"):
        await world.adapter.grant(world.resource, fan, reason="paid")
    await world.adapter.grant(world.resource, fan, reason="paid")

    assert world.held(fan) == {world.resource}
