"""Slack on sockets as the contract sees a platform: our adapter on one side, the emulator's own people on the other.

On Enterprise, since only there somebody has an id before they come into the workspace: outsiders are in another one of the organisation.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import parse_qs, urlsplit

from adapters.slack.adapter import SlackAdapter
from adapters.slack.pacing import Pacer
from adapters.slack.settings import Settings
from adapters.slack.spaces import space_of
from core.commands import CommandRequest
from core.credentials import Credentials
from core.ids import PlatformUserId, RandomIds
from core.platform import Channel, Resource, ResourceKind
from sandbox.clock import VirtualClock
from sandbox.record import Recorder
from sandbox.slack import Plan, Role, Served, SlackEmulator
from sandbox.slack.channels import Channel as Room
from sandbox.slack.emulator import Limits
from sandbox.slack.errors import RefusedError
from sandbox.slack.person import Person
from sandbox.slack.replies import Reply, Seen
from sandbox.slack.users import User
from sandbox.slack.workspaces import Workspace
from sandbox.wire import Wire
from tests.adapters.contract import COMMANDS, REDIRECT, Answering
from tests.adapters.recorded import RecordedInbound


class Hurry:
    """Time for a pacer: it passes only when somebody waits, and at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def seconds(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def pacer(self) -> Pacer:
        return Pacer(self.seconds, self.sleep)


class Emulated:
    """One workspace of Ann's called Club, with the private channels gold and silver, and our app in both."""

    adapter: SlackAdapter
    served: Served

    def __init__(
        self,
        clock: VirtualClock,
        *,
        plan: Plan = Plan.ENTERPRISE,
        limits: Limits = "off",
        pacer: Pacer | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self.clock, self.pacer, self.credentials = clock, pacer, credentials
        self.emulator = SlackEmulator(clock, wire=Wire(recorder=Recorder()), limits=limits, redirect_uris=[REDIRECT])
        make = self.emulator.people
        self.ann, host = make.person("ann"), make.person("host")
        self.lobby = make.workspace(host, "Lobby", plan, "Org")
        self.club = make.workspace(self.ann, "Club", plan, "Org")
        self.token = make.install(self.club)
        self.people: dict[PlatformUserId, Person] = {PlatformUserId(self.ann.id(self.club)): self.ann}
        self.creator = next(iter(self.people))
        self.rooms = {name: self.room(name) for name in ("gold", "silver", "notices")}
        self.space = space_of(self.club.id, self.club.enterprise.id if self.club.enterprise else "")
        self.resource, self.other = self.sold("gold"), self.sold("silver")
        self.channel = Channel(self.space, self.rooms["notices"].id)
        self.inbound = RecordedInbound(COMMANDS)
        self.last: Reply | None = None

    def room(self, name: str, *, private: bool = True) -> Room:
        """Make a channel with only our app in it."""
        room = self.ann.create_channel(self.club, name, private=private)
        self.ann.add_app(room)
        self.ann.leave(room)
        return room

    def sold(self, name: str) -> Resource:
        return Resource(self.space, ResourceKind.CHANNEL, self.rooms[name].id)

    def settings(self, **more: str) -> Settings:
        return Settings.model_validate({
            "app_token": self.served.app_token,
            "bot_token": self.token,
            "client_id": self.served.client_id,
            "client_secret": self.served.client_secret,
            "api_url": self.served.api_url,
            **more,
        })  # fmt: skip

    @asynccontextmanager
    async def serving(self, **more: str) -> AsyncIterator["Emulated"]:
        """Serve the emulator and hold an adapter for it, which is not started yet."""
        async with self.emulator.serve() as self.served:
            self.adapter = SlackAdapter(
                self.settings(**more), clock=self.clock, ids=RandomIds(), credentials=self.credentials, pacer=self.pacer
            )
            try:
                yield self
            finally:
                await self.adapter.close()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Emulated"]:
        """Serve, start, and wait until requests flow."""
        async with self.serving():
            await self.adapter.start(self.inbound)
            async with asyncio.timeout(10):
                while not self.adapter.connected:  # noqa: ASYNC110 - a property has nothing to wait for
                    await asyncio.sleep(0.01)
            yield self

    # people

    def insider(self, name: str) -> PlatformUserId:
        return self._arriving(name, self.lobby, self.club)

    def outsider(self, name: str) -> PlatformUserId:
        return self._arriving(name, self.lobby)

    def _arriving(self, name: str, *workspaces: Workspace) -> PlatformUserId:
        person = self.emulator.people.person(name)
        for workspace in workspaces:
            self.emulator.people.join(person, workspace)
        user = PlatformUserId(person.id(workspaces[-1]))
        self.people[user] = person
        return user

    def held(self, user: PlatformUserId) -> frozenset[Resource]:
        return frozenset(self.sold(name) for name in ("gold", "silver") if user in self.rooms[name].members)

    def inside(self, user: PlatformUserId) -> bool:
        found = self.club.users.get(user)
        return found is not None and not found.deleted

    def give(self, user: PlatformUserId, resource: Resource) -> None:
        self.host_in(self.club.channels[resource.external_id], self.people[user])

    def host_in(self, room: Room, person: Person) -> None:
        """Let somebody into a channel by another's hand."""
        room.members[person.id(self.club)] = None
        person.user(self.club).channels.add(room.id)

    def lodge(self, user: PlatformUserId, room: Room, role: Role = Role.MEMBER) -> None:
        """Put a member without a story into the workspace and a channel, for tests that need many."""
        made = User(user, self.club.id, user.lower(), user, role, self.clock.now())
        self.club.users[user] = made
        room.members[user] = None
        made.channels.add(room.id)

    async def join(self, user: PlatformUserId) -> None:
        self.emulator.people.join(self.people[user], self.club)

    async def leave(self, user: PlatformUserId) -> None:
        self.ann.deactivate(self.club, self.people[user])

    async def accept(self, user: PlatformUserId, invite_url: str) -> bool:
        try:
            self.people[user].accept(invite_url or self.ann.invite_link(self.club))
        except RefusedError:
            return False
        return True

    def ban(self, user: PlatformUserId) -> None:
        self.ann.deactivate(self.club, self.people[user])

    def close_messages(self, user: PlatformUserId) -> None:
        """Nobody closes their messages to apps on Slack; a deactivated account reads none."""
        self.ban(user)

    def inbox(self, user: PlatformUserId) -> list[str]:
        return [seen.words for seen in self.people[user].dms(self.club)]

    def posted(self) -> list[str]:
        return [Seen(one).words for one in self.rooms["notices"].messages.values()]

    # what stands in the way

    async def delete(self, resource: Resource) -> None:
        room = self.club.channels[resource.external_id]
        self.host_in(room, self.ann)
        self.ann.delete_channel(room)

    async def put_out_of_reach(self, resource: Resource) -> None:
        del resource
        self.club.preferences.remove_from_private = Role.ADMIN

    async def make_dangerous(self, resource: Resource) -> None:
        """Nothing sold on Slack carries powers; what changes is that nobody can be added any more."""
        room = self.club.channels[resource.external_id]
        self.host_in(room, self.ann)
        self.ann.archive(room)

    async def forbid_managing(self) -> None:
        token = self.emulator.model.tokens.bot_token(self.club.id)
        assert token is not None
        token.scopes -= {"groups:write", "groups:write.invites"}

    async def remove_us(self) -> None:
        self.ann.uninstall(self.club)

    # using it

    async def ask(self, user: PlatformUserId, words: str, answer: Answering, **options: object) -> str:
        typed = f"/doorman {words.removeprefix('doorman ')} {' '.join(f'{name}:{self._typed(value)}' for name, value in options.items())}"
        before = len(self.inbound.requests)
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(self.people[user].command(self.club, typed))
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

    def _typed(self, value: object) -> str:
        if isinstance(value, Resource):
            return f"<#{value.external_id}|{self.club.channels[value.external_id].name}>"
        if isinstance(value, str) and value in self.people:
            return self.people[PlatformUserId(value)].mention(self.club)
        return f'"{value}"' if isinstance(value, str) else str(value)

    async def sign_in(self, user: PlatformUserId) -> str:
        where = self.club if self.inside(user) else self.lobby
        back = await self.people[user].authorize(self.adapter.authorize_url("state", REDIRECT), where)
        return parse_qs(urlsplit(back).query)["code"][0]

    @contextmanager
    def outage(self) -> Iterator[None]:
        fault = self.emulator.wire.faults.outage("slack")
        yield
        self.emulator.wire.faults.lift(fault)
