import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, Literal

import pytest
from aiohttp import web

from bots.platforms import Platform
from core.ids import PlatformName, PlatformUserId, RandomIds
from core.platform import Channel, EventKind, HttpInbound, Resource, ResourceKind, Space
from sandbox.clock import VirtualClock
from sandbox.wire import serve
from tests.adapters.contract import COMMANDS, Answering, PlatformContract
from tests.adapters.recorded import RecordedInbound
from tests.fixtures.veranda.emulator import APP_ID, SIGNING_SECRET, TOKEN, Role, Veranda
from web.keys import INBOUND
from web.platform_webhook import mount

NOTHING: Any = None


class Emulated:
    """The emulated Veranda as the contract sees a platform: one house with the app in it."""

    def __init__(self, platform: Platform, vendor: Veranda, clock: VirtualClock, api_url: str) -> None:
        settings = platform.settings(app_id=APP_ID, token=TOKEN, signing_secret=SIGNING_SECRET, api_url=api_url)
        self.adapter = platform.build(settings, clock=clock, ids=RandomIds(), credentials=NOTHING)
        self.vendor, self.clock, self.inbound = vendor, clock, RecordedInbound(COMMANDS)
        self.creator = self.person("Ann")
        self.house = vendor.house("Club", self.creator, "Gold", "Silver")
        self.space = Space(PlatformName("veranda"), "", self.house)
        self.resource, self.other = (Resource(self.space, ResourceKind.ROLE, vendor.role(self.house, name)) for name in ("Gold", "Silver"))
        self.place = vendor.houses[self.house]
        self.place.rooms["room"] = []
        self.channel = Channel(self.space, "room")

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Emulated"]:
        """Mount the adapter as the product does, and add the app to the house."""
        assert isinstance(self.adapter, HttpInbound)
        app = web.Application()
        app[INBOUND] = self.inbound
        mount(app, self.adapter.name, self.adapter)
        async with serve(app) as base:
            self.vendor.hook = f"{base}/veranda"
            await self.adapter.start(self.inbound)
            await self.vendor.tell("added", self.house, self.creator)
            yield self
            await self.adapter.close()

    def person(self, name: str) -> PlatformUserId:
        return PlatformUserId(self.vendor.person(name))

    def role(self, resource: Resource) -> Role:
        return self.place.roles[resource.external_id]

    def insider(self, name: str) -> PlatformUserId:
        user = self.person(name)
        self.place.members[user] = set()
        return user

    def outsider(self, name: str) -> PlatformUserId:
        return self.person(name)

    def held(self, user: PlatformUserId) -> frozenset[Resource]:
        return frozenset(Resource(self.space, ResourceKind.ROLE, role) for role in self.place.members.get(user, ()))

    def inside(self, user: PlatformUserId) -> bool:
        return user in self.place.members

    def give(self, user: PlatformUserId, resource: Resource) -> None:
        self.place.members[user].add(resource.external_id)

    async def join(self, user: PlatformUserId) -> None:
        await self.vendor.join(self.house, user)

    async def leave(self, user: PlatformUserId) -> None:
        await self.vendor.leave(self.house, user)

    async def accept(self, user: PlatformUserId, invite_url: str) -> bool:
        return await self.vendor.accept(self.house, user, invite_url)

    def ban(self, user: PlatformUserId) -> None:
        del self.place.members[user]
        self.place.banned.add(user)

    def close_messages(self, user: PlatformUserId) -> None:
        self.vendor.people[user].open = False

    def inbox(self, user: PlatformUserId) -> list[str]:
        return self.vendor.people[user].inbox

    def posted(self) -> list[str]:
        return self.place.rooms["room"]

    async def delete(self, resource: Resource) -> None:
        del self.place.roles[resource.external_id]

    async def put_out_of_reach(self, resource: Resource) -> None:
        self.role(resource).above = True

    async def make_dangerous(self, resource: Resource) -> None:
        self.role(resource).powers = ["ban members"]
        await self.vendor.tell("changed", self.house)

    async def forbid_managing(self) -> None:
        self.place.may_manage = False

    async def remove_us(self) -> None:
        self.place.has_app = False
        await self.vendor.tell("removed", self.house)

    async def ask(self, user: PlatformUserId, words: str, answer: Answering, **options: object) -> str:
        plain = {name: value.external_id if isinstance(value, Resource) else value for name, value in options.items()}
        return await self._answered(await self.vendor.ask(self.house, user, words, **plain), answer)

    async def press(self, user: PlatformUserId, label: str, answer: Answering) -> str:
        buttons = [button for said in self.vendor.answers.values() for button in said["buttons"] if button["label"] == label]
        return await self._answered(await self.vendor.ask(self.house, user, buttons[-1]["action"], "button"), answer)

    async def _answered(self, reply: str, answer: Answering) -> str:
        await answer(await self.inbound.request())
        return str(self.vendor.answers[reply]["text"])

    async def sign_in(self, user: PlatformUserId) -> str:
        return self.vendor.sign_in(user)

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.vendor.down = True
        yield
        self.vendor.down = False


@pytest.fixture
async def world(veranda: Platform, vendor: Veranda, clock: VirtualClock) -> AsyncIterator[Emulated]:
    async with vendor.serve() as api_url, Emulated(veranda, vendor, clock, api_url).connected() as emulated:
        yield emulated


class TestVeranda(PlatformContract):
    missing = "no_role"
    beyond = ("role_above", "above")
    forbidden = ("not_allowed", "manage")


def body(world: Emulated, **changes: object) -> bytes:
    told = {"id": "e", "at": world.clock.now().isoformat(), "kind": "left", "house": world.house, "house_name": "Club", "user": "p"}
    return json.dumps(told | changes).encode()


@pytest.mark.parametrize("signature", ["", "00", "a word that is not ASCII: é".encode().decode("latin-1")])
async def test_a_request_that_is_not_signed_is_refused_and_nothing_is_stored(world: Emulated, signature: str) -> None:
    assert await world.vendor.post(body(world), signature) == 401
    assert world.inbound.kinds() == [EventKind.SPACE_ADDED]


async def test_a_signed_request_that_was_kept_is_refused(world: Emulated) -> None:
    kept = body(world)
    world.clock.advance(timedelta(minutes=6))

    assert await world.vendor.post(kept) == 401
    assert world.inbound.kinds() == [EventKind.SPACE_ADDED]


async def test_the_same_event_twice_is_one_event(world: Emulated) -> None:
    for _ in range(2):
        assert await world.vendor.post(body(world)) == 200

    assert world.inbound.kinds() == [EventKind.SPACE_ADDED, EventKind.MEMBER_LEFT]


async def test_what_is_signed_and_makes_no_sense_is_refused(world: Emulated) -> None:
    assert await world.vendor.post(body(world, kind="waved")) == 400
    assert world.inbound.kinds() == [EventKind.SPACE_ADDED]


class Gate(asyncio.Event):
    """Keeps whoever comes waiting until it is set, and says when somebody came."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


async def test_a_request_under_way_is_stored_before_listening_stops(world: Emulated) -> None:
    gate = world.inbound.slow = Gate()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(world.vendor.post(body(world, kind="command", text="status", reply="r")))
        await gate.reached.wait()
        stopping = tasks.create_task(world.adapter.stop_listening())
        await asyncio.sleep(0)
        assert not stopping.done()
        gate.set()
    assert asking.result() == 200
    assert len(world.inbound.requests) == 1


async def test_a_command_that_cannot_be_stored_is_not_acknowledged(world: Emulated) -> None:
    world.inbound.failing = True

    assert await world.vendor.post(body(world, kind="command", text="status", reply="r")) == 500
    assert not world.inbound.requests
