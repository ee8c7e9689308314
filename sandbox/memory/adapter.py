import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlencode

from core.boundary import assert_outside_transaction
from core.clock import Clock
from core.commands import CommandReply, ReplyHandle
from core.errors import ExternalError, MemberUnreachable, PermissionMissing, Refusal, ResourceMissing, TransientError
from core.ids import PlatformName, PlatformUserId
from core.platform import (
    AdmissionOutcome,
    Admitted,
    Channel,
    Destination,
    LinkedAccount,
    Message,
    MessageRef,
    Person,
    Resource,
    ResourceKind,
    ResourceLabel,
    Space,
)
from core.text import plain
from sandbox.memory.inbound import MemoryInbound
from sandbox.memory.world import NAME, MemoryWorld

TOKEN_LIFE = timedelta(days=7)
SITE = "https://memory.example"
_CHANGES = frozenset({"grant", "revoke", "admit", "withdraw"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call the product made: the port's method, and what it was about."""

    verb: str
    subject: str
    user: str = ""


class MemoryAdapter(MemoryInbound):
    """The platform port over a :class:`MemoryWorld`. ``calls`` remembers every call, also those that failed.

    ``failures`` are raised by the next calls, one each; ``down`` by all of them until it is None again.
    """

    name: ClassVar[PlatformName] = NAME
    label: ClassVar[str] = "Memory"
    resource_kinds: ClassVar[frozenset[ResourceKind]] = frozenset(ResourceKind)
    strangers_sign_in: ClassVar[bool] = True

    def __init__(self, world: MemoryWorld, clock: Clock) -> None:
        super().__init__(world, clock)
        self.calls: list[Call] = []
        self.failures: list[ExternalError] = []
        self.answers: dict[str, CommandReply] = {}

    @property
    def changes(self) -> list[Call]:
        """The calls that change who is in or who holds what."""
        return [call for call in self.calls if call.verb in _CHANGES]

    async def _call(self, verb: str, subject: str, user: str = "") -> None:
        """Begin a call as a network would: not in a transaction, letting others run, and sometimes failing."""
        assert_outside_transaction(f"{verb} in memory")
        self.calls.append(Call(verb, subject, user))
        await asyncio.sleep(0)
        if self.down is not None:
            raise self.down
        if self.failures:
            raise self.failures.pop(0)

    async def resources(self, space: Space) -> Sequence[ResourceLabel]:
        await self._call("resources", space.external_id)
        things = self.world.place(space).things
        return [ResourceLabel(Resource(space, thing.kind, id_), thing.name) for id_, thing in things.items()]

    async def check(self, resource: Resource) -> None:
        await self._call("check", resource.external_id)
        try:
            place = self.world.manageable(resource)
        except ResourceMissing as error:
            raise Refusal("role_missing", str(error)) from error
        except ExternalError as error:
            raise Refusal(error.code, str(error)) from error
        thing = place.things[resource.external_id]
        if not thing.safe:
            raise Refusal("dangerous_role", f"“{thing.name}” can do too much to be sold. Take that from it, or pick another one.")

    async def grant(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:  # noqa: ARG002 - nobody reads it here
        await self._call("grant", resource.external_id, user)
        place = self.world.manageable(resource)
        thing = place.things[resource.external_id]
        if not thing.safe:
            raise PermissionMissing(f"“{thing.name}” can do too much now, so it is not given to anyone.", code="dangerous_role")
        if thing.busy:
            raise TransientError(f"“{thing.name}” cannot be given right now", code="busy")
        self.world.membership(place, user).add(resource.external_id)

    async def revoke(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:  # noqa: ARG002
        await self._call("revoke", resource.external_id, user)
        self.world.membership(self.world.manageable(resource), user).discard(resource.external_id)

    async def holders(self, resource: Resource) -> AsyncIterator[PlatformUserId]:
        await self._call("holders", resource.external_id)
        for user, held in list(self.world.place(resource.space).members.items()):
            if resource.external_id in held:
                yield user

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        await self._call("holds", space.external_id, user)
        return self.world.held(space, user) if user in self.world.place(space).members else None

    async def send(self, to: Destination, message: Message) -> MessageRef:
        await self._call("send", to.user if isinstance(to, Person) else to.external_id)
        return self._deliver(to, spoken(message))

    def _deliver(self, to: Destination, words: str) -> MessageRef:
        box = self._box(to)
        box.append(words)
        return MessageRef(to, str(len(box) - 1))

    def _box(self, to: Destination) -> list[str]:
        if isinstance(to, Channel):
            channels = self.world.place(to.space).channels
            if to.external_id not in channels:
                raise ResourceMissing("That channel does not exist any more. Choose another one.", code="unknown_channel")
            return channels[to.external_id]
        somebody = self.world.somebody(to.user)
        if not somebody.open:
            raise MemberUnreachable("Their direct messages are closed.", code="closed")
        return somebody.inbox

    async def edit(self, ref: MessageRef, message: Message) -> None:
        await self._call("edit", ref.external_id)
        self._box(ref.destination)[int(ref.external_id)] = spoken(message)

    async def reply(self, handle: ReplyHandle, reply: CommandReply) -> None:
        await self._call("reply", handle.data["request"], handle.user)
        if self._clock.now() < handle.expires_at:
            self.answers[handle.data["request"]] = reply
            return
        space = Space(NAME, handle.realm, handle.space_external_id)
        self._deliver(Person(space, handle.user), "\n".join([reply.title, plain(reply.body)]))

    async def display(self, user: PlatformUserId) -> str:
        await self._call("display", user)
        return self.world.somebody(user).name

    def space_url(self, space: Space) -> str:
        return f"{SITE}/spaces/{space.external_id}"

    async def admit(self, space: Space, user: PlatformUserId, token: str | None, resources: Sequence[Resource], *, reason: str) -> Admitted:  # noqa: ARG002
        await self._call("admit", space.external_id, user)
        place = self.world.place(space)
        if user in place.members:
            return Admitted(AdmissionOutcome.ALREADY_INSIDE)
        if user in place.banned:
            raise MemberUnreachable("They are banned.", code="banned")
        if token and token == self.world.somebody(user).token:
            await self.join(space, user)
            return Admitted(AdmissionOutcome.ADMITTED)
        code = f"invite-{self.world.new_id()}"
        place.invites[code] = user
        if place.carrying:
            place.carried[code] = frozenset(resource.external_id for resource in resources)
        return Admitted(AdmissionOutcome.INVITED, f"{SITE}/invite/{code}", place.carrying)

    async def withdraw(self, space: Space, invite_url: str, *, reason: str) -> None:  # noqa: ARG002
        await self._call("withdraw", space.external_id, invite_url)
        self.world.place(space).invites.pop(invite_url.rpartition("/")[2], None)

    def authorize_url(self, state: str, redirect_uri: str) -> str:
        return f"{SITE}/oauth2/authorize?{urlencode({'state': state, 'redirect_uri': redirect_uri})}"

    async def exchange(self, code: str, redirect_uri: str) -> LinkedAccount:
        await self._call("exchange", redirect_uri)
        user = self.world.codes.pop(code, None)
        if user is None:
            raise Refusal("bad_code", "That sign-in is not valid any more. Go back and continue again.")
        somebody = self.world.somebody(user)
        somebody.token = f"token-{self.world.new_id()}"
        return LinkedAccount(user, self.world.realm, somebody.name, somebody.token, self._clock.now() + TOKEN_LIFE)

    async def findings(self, space: Space) -> Sequence[str]:
        await self._call("findings", space.external_id)
        place = self.world.places.get(space.external_id)
        if place is None or not place.ours:
            return ["The bot is not in that space any more. Add it again."]
        return [] if place.may_manage else ["The bot may not manage this space. Give it that permission."]

    async def verified_email(self, space: Space, user: PlatformUserId) -> str:
        await self._call("verified_email", space.external_id, user)
        return self.world.somebody(user).email

    async def identify(self) -> str:
        await self._call("identify", "")
        return "Signed in as the bot. Add it to a space."


def spoken(message: Message) -> str:
    """Return a message as it stands in an inbox."""
    links = [f"{button.label}: {button.url}" for button in message.buttons]
    return "\n".join([message.title, plain(message.body), *links])
