"""A town that is also there on a platform: rows, a world in memory, and the parts of the product between them, driven by hand."""

import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from sqlmodel import col, select

from core.dispatch import Lane, platform_lane
from core.errors import MemberUnreachable, PermissionMissing
from core.ids import CauseId, Ids, MemberId, PlanId, PlatformUserId
from core.platform import Channel, Resource, ResourceKind, Space
from membership.drift import Drift
from membership.grant import GrantDrain
from membership.member import Members
from membership.notice import Notices
from membership.reconcile import Reconciler
from membership.unblock import Unblocker
from membership.work import OutboxDrain
from sandbox.clock import VirtualClock
from sandbox.memory import MemoryAdapter, MemoryWorld
from sandbox.memory.world import Place, Somebody, Thing
from storage import lanes
from storage.credentials import CredentialStore
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState
from storage.grants import GrantRow
from storage.outbox import OutboxKind, OutboxRow
from storage.resources import ResourceRow
from tests.membership.town import PLATFORM, Town

LANE = platform_lane(PLATFORM, "")
CREATOR = PlatformUserId("1")
CAUSE = CauseId("a test")


class PowerCut(BaseException):
    """The program is gone: no handler of its own may catch this."""


class Watched(MemoryAdapter):
    """The platform in memory. ``cut`` ends the program inside the next change, before or after it; ``cut_at`` is whom that was about.

    ``poisoned`` people make it fail as only a bug does; ``refused`` of a member and a role are what a grant or revoke of it raises.
    ``meanwhile`` happens once, while the answer to a gift is on its way.
    """

    def __init__(self, world: MemoryWorld, clock: VirtualClock) -> None:
        super().__init__(world, clock)
        self.cut = ""
        self.cut_at = ""
        self.poisoned: dict[str, Exception] = {}
        self.refused: dict[tuple[str, str], Exception] = {}
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def grant(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        self._before(resource, user)
        try:
            await super().grant(resource, user, reason=reason)
        finally:
            happen, self.meanwhile = self.meanwhile, None
            if happen is not None:
                await happen()
        self._may_end("after", user)

    async def revoke(self, resource: Resource, user: PlatformUserId, *, reason: str) -> None:
        self._before(resource, user)
        await super().revoke(resource, user, reason=reason)
        self._may_end("after", user)

    async def withdraw(self, space: Space, invite_url: str, *, reason: str) -> None:
        user = PlatformUserId(str(self.world.place(space).invites.get(invite_url.rpartition("/")[2])))
        self._may_end("before", user)
        await super().withdraw(space, invite_url, reason=reason)
        self._may_end("after", user)

    async def holds(self, space: Space, user: PlatformUserId) -> frozenset[Resource] | None:
        if user in self.poisoned:
            raise self.poisoned[user]
        return await super().holds(space, user)

    def _before(self, resource: Resource, user: PlatformUserId) -> None:
        self._may_end("before", user)
        if (user, resource.external_id) in self.refused:
            raise self.refused[user, resource.external_id]

    def _may_end(self, moment: str, user: PlatformUserId) -> None:
        if self.cut == moment:
            self.cut, self.cut_at = "", user
            raise PowerCut


class House(Town):
    """The town's space on the platform, its creator in it, and whoever settles there."""

    def __init__(self, db: Database, clock: VirtualClock, ids: Ids, adapter: Watched | None = None) -> None:
        super().__init__(db, clock.now())
        self.clock, self.ids = clock, ids
        self.adapter = adapter or Watched(MemoryWorld(), clock)
        self.world = self.adapter.world
        self.where = Space(PLATFORM, "", self.space)
        rng, adapters = random.Random(7), {PLATFORM: self.adapter}  # noqa: S311 - replayable
        self.grants = GrantDrain(db=db, clock=clock, ids=ids, adapters=adapters, credentials=CredentialStore(db, clock), rng=rng)
        self.reconciler = Reconciler(clock=clock, ids=ids)
        self.notices = Notices(db=db, adapters=adapters, public_url="http://127.0.0.1:1")
        self.work = OutboxDrain(db=db, clock=clock, reconciler=self.reconciler, notices=self.notices, rng=rng)
        self.comings = Members(db=db, clock=clock, ids=ids)
        self.drift = Drift(db=db, clock=clock, ids=ids, adapters=adapters)
        self.unblocker = Unblocker(db=db, clock=clock, ids=ids, adapters=adapters)

    async def build(self) -> None:
        await super().build()
        things = {role: Thing(role) for role in ("member", "vip")}
        self.world.places[self.space] = Place("Town", CREATOR, things=things, members={CREATOR: set()}, managers={CREATOR})
        self.world.people[CREATOR] = Somebody("Cleo")

    @property
    def place(self) -> Place:
        return self.world.places[self.space]

    def thing(self, role: str) -> Thing:
        return self.place.things[role]

    def resource(self, role: str) -> Resource:
        return Resource(self.where, ResourceKind.ROLE, role)

    async def settlers(self, number: int) -> list[MemberId]:
        """Store members, and let them live in the space."""
        people = await self.members(number)
        for who in people:
            self.world.people[PlatformUserId(who)] = Somebody(who)
            self.place.members[PlatformUserId(who)] = set()
        return people

    async def settler(self) -> MemberId:
        return (await self.settlers(1))[0]

    def held(self, who: str) -> set[str] | None:
        """Return what somebody really holds, None outside."""
        held = self.place.members.get(PlatformUserId(who))
        return None if held is None else set(held)

    def gives(self, who: str, role: str) -> None:
        """The creator gives somebody a role by hand."""
        self.place.members[PlatformUserId(who)].add(role)

    async def sell(self, who: MemberId, plan: PlanId | None = None) -> str:
        """Entitle somebody for life and write what follows; returns the source."""
        before = set(await self._sources(who))
        await self.passes([who], None, plan)
        await self.reconcile(who)
        return (set(await self._sources(who)) - before).pop()

    async def end(self, who: MemberId, source: str) -> None:
        """End one of somebody's entitlements and write what follows."""
        async with self.db.transaction() as session:
            row = (await session.exec(select(EntitlementRow).where(EntitlementRow.source_id == source))).one()
            row.state = EntitlementState.ENDED
            session.add(row)
        await self.reconcile(who)

    async def _sources(self, who: MemberId) -> Sequence[str]:
        async with self.db.reading() as session:
            return (await session.exec(select(EntitlementRow.source_id).where(EntitlementRow.member_id == who))).all()

    async def reconcile(self, who: MemberId) -> int:
        async with self.db.transaction() as session:
            return await self.reconciler.reconcile(session, self.id, who, cause=CAUSE)

    async def drain(self) -> None:
        """Carry out what is due, as a program that has just taken the lane over."""
        await self.grants.drain(LANE, await lanes.take(self.db, LANE, "a test", self.clock.now()))

    async def drain_work(self, lane: Lane) -> None:
        await self.work.drain(lane, await lanes.take(self.db, lane, "a test", self.clock.now()))

    async def tell_everyone(self) -> None:
        """Send every notice that is due."""
        for lane in sorted({row.lane for row in await self.outbox(OutboxKind.NOTICE)}):
            await self.drain_work(lane)

    async def later(self, by: timedelta) -> None:
        """Let time pass, then carry out what is due."""
        self.clock.advance(by)
        await self.drain()

    async def probe(self) -> None:
        await self.unblocker.probe(self.where, cause=CAUSE)

    async def joins(self, who: str, *, told: bool = True) -> None:
        """Somebody comes into the space; ``told`` False when the platform does not say so."""
        self.place.members.setdefault(PlatformUserId(who), set())
        if told:
            await self.comings.joined(self.where, PlatformUserId(who), at=self.clock.now(), cause=CAUSE)

    async def accepts(self, who: str, role: str = "member", *, told: bool = True) -> bool:
        """Somebody comes by the last invite made for them, and is given what it carries; returns whether any is still out."""
        out = [code for code, user in self.place.invites.items() if user == who and role in self.place.carried[code]]
        code = out[-1] if out else "withdrawn"
        try:
            self.world.accept(self.where, PlatformUserId(who), code)
        except PermissionError:
            return False
        if told:
            await self.comings.joined(self.where, PlatformUserId(who), at=self.clock.now(), cause=CAUSE)
        return True

    async def leaves(self, who: str, *, told: bool = True) -> None:
        """Somebody leaves with all they held."""
        self.place.members.pop(PlatformUserId(who), None)
        if told:
            await self.comings.left(self.where, PlatformUserId(who), at=self.clock.now(), cause=CAUSE)

    async def row(self, who: str, role: str = "member") -> GrantRow:
        """Return somebody's grant of a role."""
        async with self.db.reading() as session:
            query = select(GrantRow).where(GrantRow.member_id == who, GrantRow.resource_id == self.role(role))
            return (await session.exec(query)).one()

    async def rows(self) -> Sequence[GrantRow]:
        async with self.db.reading() as session:
            return (await session.exec(select(GrantRow).order_by(col(GrantRow.id)))).all()

    async def outbox(self, kind: OutboxKind) -> Sequence[OutboxRow]:
        async with self.db.reading() as session:
            return (await session.exec(select(OutboxRow).where(col(OutboxRow.kind) == kind).order_by(col(OutboxRow.created_at)))).all()

    async def problem(self, role: str = "member") -> str:
        """Return what is stored to be wrong with a role."""
        async with self.db.reading() as session:
            return (await session.get_one(ResourceRow, self.role(role))).problem

    def mail(self, who: str = CREATOR) -> list[str]:
        return self.world.people[PlatformUserId(who)].inbox

    def channel(self) -> Channel:
        return self.world.channel(self.where)


ABOVE = PermissionMissing("“member” stands above the bot. Put the bot above it.", code="role_above_bot")
GONE = MemberUnreachable("They are not in the space.", code="unknown_member")
