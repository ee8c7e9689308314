from datetime import timedelta

from core.clock import Clock
from core.commands import CommandRequest, ReplyHandle
from core.errors import ExternalError
from core.ids import PlatformUserId
from core.platform import EventKind, Inbound, PlatformEvent, Space
from sandbox.memory.world import NAME, MemoryWorld

REPLY_LIFE = timedelta(minutes=15)


class MemoryInbound:
    """What comes from the platform: people come, go and ask, and the product hears of it once it listens."""

    def __init__(self, world: MemoryWorld, clock: Clock) -> None:
        self.world, self._clock = world, clock
        self.down: ExternalError | None = None
        self._inbound: Inbound | None = None

    @property
    def connected(self) -> bool:
        return self._inbound is not None and self.down is None

    async def start(self, inbound: Inbound) -> None:
        self._inbound = inbound
        for id_, place in self.world.places.items():
            if place.ours:
                await self.happens(EventKind.SPACE_ADDED, Space(NAME, self.world.realm, id_), place.owner, place.name)

    async def stop_listening(self) -> None:
        self._inbound = None

    async def close(self) -> None:
        await self.stop_listening()

    async def happens(self, kind: EventKind, space: Space, user: PlatformUserId | None = None, name: str = "") -> None:
        """Tell the product of something, as the platform would; nobody listens before ``start``."""
        if self._inbound is not None:
            await self._inbound.on_event(PlatformEvent(self.world.new_id(), kind, space, self._clock.now(), user, name))

    async def join(self, space: Space, user: PlatformUserId) -> None:
        """Let ``user`` join by themselves."""
        self.world.places[space.external_id].members.setdefault(user, set())
        await self.happens(EventKind.MEMBER_JOINED, space, user)

    async def leave(self, space: Space, user: PlatformUserId) -> None:
        """Let ``user`` leave, with all they held."""
        self.world.places[space.external_id].members.pop(user, None)
        await self.happens(EventKind.MEMBER_LEFT, space, user)

    async def ask(self, space: Space, user: PlatformUserId, words: str, **options: object) -> CommandRequest:
        """Let ``user`` give a command and return it as stored; its answer appears in ``answers`` under its id."""
        place, id_ = self.world.places[space.external_id], self.world.new_id()
        now = self._clock.now()
        handle = ReplyHandle(NAME, {"request": id_}, now + REPLY_LIFE, user, space.realm, space.external_id)
        labels = {one: thing.name for one, thing in place.things.items() if one in options.values()}
        labels |= {str(one): somebody.name for one, somebody in self.world.people.items() if one in options.values()}
        request = CommandRequest(
            id=id_,
            words=tuple(words.split()),
            options=options,
            platform=NAME,
            realm=space.realm,
            space_external_id=space.external_id,
            space_name=place.name,
            user=user,
            user_name=self.world.people[user].name,
            can_manage=user in place.managers,
            at=now,
            handle=handle,
            labels=labels,
        )
        if self._inbound is not None:
            await self._inbound.on_command(request)
        return request
