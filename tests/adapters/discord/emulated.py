"""Discord on sockets as the contract sees a platform: our adapter on one side, the emulator's own people on the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from adapters.discord import DiscordAdapter, Settings, build
from core.commands import CommandRequest
from core.ids import PlatformUserId, RandomIds
from core.platform import Channel, EventKind, Resource, ResourceKind, Space
from sandbox.clock import VirtualClock
from sandbox.discord import DiscordEmulator, Served, permissions
from sandbox.discord.emulator import Limits
from sandbox.discord.errors import RefusedError
from sandbox.discord.invites import Terms
from sandbox.discord.people import Person
from sandbox.discord.replies import Reply
from sandbox.record import Exchange, Recorder
from sandbox.wire import Wire
from tests.adapters.contract import COMMANDS, REDIRECT, Answering
from tests.adapters.recorded import RecordedInbound

ALLOWED = permissions.MANAGE_ROLES | permissions.CREATE_INSTANT_INVITE


def settings_for(served: Served, *, members_intent: bool = True) -> Settings:
    """Return the settings of the emulator's app."""
    return Settings.model_validate({
        "token": served.bot_token,
        "client_id": served.client_id,
        "client_secret": served.client_secret,
        "members_intent": members_intent,
        "api_url": served.api_url,
        "gateway_url": served.gateway_url,
    })  # fmt: skip


class Heard(Recorder):
    """Keeps every exchange with the API in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []
        self.moments: list[float] = []
        self.listener: Callable[[], None] | None = None

    def write(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.moments.append(asyncio.get_running_loop().time())
        if self.listener is not None:
            self.listener()


class Emulated:
    """One server of Ann's called Club, with the roles Silver and Gold below the bot's."""

    adapter: DiscordAdapter
    served: Served

    def __init__(self, clock: VirtualClock, *, allowed: int = ALLOWED, limits: Limits = "off") -> None:
        self.clock = clock
        self.heard = Heard()
        self.emulator = DiscordEmulator(clock, wire=Wire(recorder=self.heard), limits=limits, redirect_uris=[REDIRECT])
        self.heard.listener = self.emulator.model.changes.notify
        self.people: dict[PlatformUserId, Person] = {}
        self.ann = self.emulator.people.user("ann")
        self.creator = self._known(self.ann)
        self.server = self.emulator.people.guild(self.ann, "Club", ["Silver", "Gold"])
        self.allowed = allowed
        self.door = self.server.invite(Terms(max_age=0))
        self.space = Space(DiscordAdapter.name, "", str(self.server.id))
        self.resource, self.other = self.role("Gold"), self.role("Silver")
        self.channel = Channel(self.space, str(self.server.channel().id))
        self.inbound = RecordedInbound(COMMANDS)
        self.last: Reply | None = None

    @asynccontextmanager
    async def serving(self, *, members_intent: bool = True) -> AsyncIterator["Emulated"]:
        """Serve the emulator and hold an adapter for it, which is not started yet."""
        await self.emulator.people.add_bot(self.server, self.allowed)
        async with self.emulator.serve() as self.served:
            self.adapter = build(settings_for(self.served, members_intent=members_intent), clock=self.clock, ids=RandomIds())
            try:
                yield self
            finally:
                await self.adapter.close()

    @asynccontextmanager
    async def connected(self, *, members_intent: bool = True) -> AsyncIterator["Emulated"]:
        """Serve, start, and wait until the server has introduced itself and the commands are there."""
        async with self.serving(members_intent=members_intent):
            await self.adapter.start(self.inbound)
            await self.inbound.event(EventKind.SPACE_ADDED)
            await self.until(lambda: bool(self.emulator.model.commands.find(None, "doorman", 1)))
            yield self

    def calls(self, method: str, path: str, *statuses: int) -> int:
        """Count the API calls of ``method`` whose path has ``path`` in it, with these answers or any."""
        return sum(one.method == method and path in one.path and (not statuses or one.status in statuses) for one in self.heard.exchanges)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait (a bounded time) until the emulator's world, or what was heard of its API, is so."""
        await self.emulator.model.changes.when(reached, 10.0)

    def role(self, name: str) -> Resource:
        return Resource(self.space, ResourceKind.ROLE, str(self.server.role(name).id))

    def insider(self, name: str) -> PlatformUserId:
        user = self.outsider(name)
        self.people[user].join(self.server, self.door)
        return user

    def outsider(self, name: str) -> PlatformUserId:
        return self._known(self.emulator.people.user(name))

    def _known(self, person: Person) -> PlatformUserId:
        user = PlatformUserId(str(person.id))
        self.people[user] = person
        return user

    def held(self, user: PlatformUserId) -> frozenset[Resource]:
        return frozenset(self.role(name) for name in self.server.roles_of(self.people[user]))

    def inside(self, user: PlatformUserId) -> bool:
        return self.server.has(self.people[user])

    def give(self, user: PlatformUserId, resource: Resource) -> None:
        self.server.give_role(self.people[user], self.server.guild.roles[int(resource.external_id)])

    async def join(self, user: PlatformUserId) -> None:
        self.people[user].join(self.server, self.door)

    async def leave(self, user: PlatformUserId) -> None:
        self.people[user].leave(self.server)

    async def accept(self, user: PlatformUserId, invite_url: str) -> bool:
        try:
            self.people[user].join(self.server, invite_url.rsplit("/", 1)[1])
        except RefusedError:
            return False
        return True

    def ban(self, user: PlatformUserId) -> None:
        self.server.ban(self.people[user])

    def close_messages(self, user: PlatformUserId) -> None:
        self.people[user].close_dms()

    def inbox(self, user: PlatformUserId) -> list[str]:
        return [seen.words for seen in self.people[user].inbox()]

    def posted(self) -> list[str]:
        return [seen.words for seen in self.server.messages()]

    async def delete(self, resource: Resource) -> None:
        self.server.delete_role(self.server.guild.roles[int(resource.external_id)])

    async def put_out_of_reach(self, resource: Resource) -> None:
        self.server.move_role(self.server.guild.roles[int(resource.external_id)], len(self.server.guild.roles) - 1)
        await self.inbound.event(EventKind.RESOURCES_CHANGED)

    async def make_dangerous(self, resource: Resource) -> None:
        self.server.change_role(self.server.guild.roles[int(resource.external_id)], permissions=permissions.MANAGE_GUILD)
        await self.inbound.event(EventKind.RESOURCES_CHANGED)

    async def forbid_managing(self) -> None:
        self.server.change_role(self.server.bot_role, permissions=permissions.CREATE_INSTANT_INVITE)
        await self.inbound.event(EventKind.RESOURCES_CHANGED)

    async def remove_us(self) -> None:
        self.server.kick_bot()

    async def ask(self, user: PlatformUserId, words: str, answer: Answering, **options: object) -> str:
        before = len(self.inbound.requests)
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(self.people[user].command(self.server, words, **self._typed(options)))
            await self._answer(before, answer)
        self.last = asked.result()
        return self.last.words

    async def press(self, user: PlatformUserId, label: str, answer: Answering) -> str:
        before = len(self.inbound.requests)
        assert self.last is not None
        async with asyncio.TaskGroup() as tasks:
            pressed = tasks.create_task(self.people[user].click(self.last, label))
            await self._answer(before, answer)
        return pressed.result().words

    async def _answer(self, before: int, answer: Answering) -> CommandRequest:
        await self.inbound.until(lambda: len(self.inbound.requests) > before)
        request = self.inbound.requests[-1]
        await answer(request)
        return request

    def _typed(self, options: dict[str, object]) -> dict[str, Any]:
        typed: dict[str, Any] = {}
        for name, value in options.items():
            if isinstance(value, Resource):
                typed[name] = self.server.guild.roles[int(value.external_id)]
            else:
                typed[name] = self.people.get(PlatformUserId(value), value) if isinstance(value, str) else value
        return typed

    async def sign_in(self, user: PlatformUserId) -> str:
        back = await self.people[user].authorize(self.adapter.authorize_url("state", REDIRECT))
        return parse_qs(urlsplit(back).query)["code"][0]

    @contextmanager
    def outage(self) -> Iterator[None]:
        fault = self.emulator.wire.faults.outage("discord")
        yield
        self.emulator.wire.faults.lift(fault)
