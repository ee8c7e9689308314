"""The line for a plan that is sold out: a seat that becomes free is kept for the next in it for a day."""

from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clock
from core.errors import Refusal
from core.events import Notice, NoticeKind
from core.ids import CauseId, CommunityId, Ids, MemberId, PlanId, WaitlistId
from core.people import Identity
from storage import accounts, entitlements, invites, members, orders, plans, stock, waitlist_entries
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.outbox import add_notice
from storage.plans import PlanRow
from storage.waitlist_entries import WaitlistEntryRow, WaitlistState

OFFER_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class InLine:
    """Where somebody stands in a line."""

    plan: str
    place: int


class Waitlist:
    """Puts people in line, and offers seats to the next."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def kept_for(self, plan: PlanId, community: CommunityId, who: Identity) -> bool:
        """Say whether a seat of a plan is kept for somebody, by an offer or because they are at its checkout."""
        async with self._db.reading() as session:
            account = await accounts.find(session, community, who)
            if account is None:
                return False
            mine = await waitlist_entries.of_member(session, plan, account.member_id)
            offered = mine is not None and mine.state == WaitlistState.OFFERED
            return offered or await orders.open_order(session, account.member_id, plan) is not None

    async def join_through(self, code: str, who: Identity, *, cause: CauseId) -> InLine:
        """Put ``who`` in line for what a link sells. Refusals ``invite_unknown`` and those of :meth:`join`."""
        async with self._db.reading() as session:
            facts = await invites.look(session, code)
        if facts is None:
            raise Refusal("invite_unknown", "There is no such link. Check it letter by letter, or ask for a new one.")
        return await self.join(facts.invite.community_id, facts.plan.id, who, cause=cause)

    async def join(self, community: CommunityId, plan: str, who: Identity, *, cause: CauseId) -> InLine:
        """Put ``who`` in line for a plan; who is in it keeps their place. Refusals ``plan_unknown``, ``seats_free``, ``already_member``."""
        async with self._db.transaction() as session:
            row = await session.get(PlanRow, PlanId(plan))
            if row is None or row.community_id != community:
                raise Refusal("plan_unknown", "That plan is not sold here any more. /join shows what is.")
            account = await accounts.ensure(session, community, who, self._ids, self._clock.now())
            await members.hold(session, account.member_id)
            await stock.hold(session, row.id)
            mine = await waitlist_entries.of_member(session, row.id, account.member_id)
            if mine is None:
                await self._check(session, row, MemberId(account.member_id))
                trail = Trail(self._ids, self._clock.now(), cause, who.actor)
                mine = WaitlistEntryRow(
                    id=WaitlistId(trail.ids.new()), community_id=community, plan_id=row.id, member_id=account.member_id,
                    account_id=account.id, since=trail.at,
                )  # fmt: skip
                session.add(mine)
                await session.flush()
                record(session, trail, community, "waitlist.joined", ("waitlist_entry", mine.id), member=mine.member_id,
                       after={"plan": row.name})  # fmt: skip
            elif mine.state == WaitlistState.OFFERED:
                raise Refusal("seats_free", f"A seat of “{row.name}” is kept for you already. /join takes you to the payment.")
            return InLine(row.name, 1 + await waitlist_entries.waiting(session, row.id, before=mine))

    async def leave(self, community: CommunityId, plan: str, who: Identity, *, cause: CauseId) -> str:
        """Take ``who`` out of a line and return its plan's name; who is in none is out already. Refusal ``plan_unknown``."""
        async with self._db.transaction() as session:
            row = await session.get(PlanRow, PlanId(plan))
            if row is None or row.community_id != community:
                raise Refusal("plan_unknown", "That plan is not sold here any more. /join shows what is.")
            account = await accounts.find(session, community, who)
            mine = await waitlist_entries.of_member(session, row.id, account.member_id) if account else None
            if mine is not None:
                self._end(session, mine, WaitlistState.LEFT, Trail(self._ids, self._clock.now(), cause, who.actor))
            return row.name

    async def run(self) -> int:
        """Take back offers that ran out and offer what is free to the next in each line; returns how many were offered."""
        async with self._db.reading() as session:
            lines = await waitlist_entries.plans_with_a_line(session)
        offered = 0
        for plan in lines:
            async with self._db.transaction() as session:
                offered += await self._offer(session, plan, Trail(self._ids, self._clock.now(), CauseId(self._ids.new())))
        return offered

    async def _offer(self, session: Session, plan: PlanId, trail: Trail) -> int:
        row = await session.get_one(PlanRow, plan)
        await stock.hold(session, plan)
        for entry in await waitlist_entries.lapsing(session, plan, trail.at):
            self._end(session, entry, WaitlistState.LAPSED, trail)
        await session.flush()
        view = await plans.view(session, row)
        if not view.sellable:
            return 0
        free = 1_000 if view.seats is None else view.seats - await stock.taken(session, plan)
        entries = await waitlist_entries.first(session, plan, free) if free > 0 else []
        for entry in entries:
            entry.state, entry.offered_until = WaitlistState.OFFERED, trail.at + OFFER_LIFE
            session.add(entry)
            record(session, trail, entry.community_id, "waitlist.offered", ("waitlist_entry", entry.id), member=entry.member_id,
                   after={"until": entry.offered_until.isoformat()})  # fmt: skip
            notice = Notice(NoticeKind.SEAT_FREE, {"plan": row.name, "until": entry.offered_until.isoformat()})
            await add_notice(session, trail, entry.community_id, notice, member=entry.member_id, dedupe=f"seat_free:{entry.id}")
        return len(entries)

    async def _check(self, session: Session, plan: PlanRow, member: MemberId) -> None:
        if await entitlements.live(session, plan.community_id, member, plan.id):
            raise Refusal("already_member", f"You have “{plan.name}” already. Nothing was charged.")
        waiting = await waitlist_entries.waiting(session, plan.id)
        if plan.seats is None or await stock.taken(session, plan.id, member) + waiting < plan.seats:
            raise Refusal("seats_free", f"“{plan.name}” has seats free. /join takes you to the payment.")

    def _end(self, session: Session, entry: WaitlistEntryRow, state: WaitlistState, trail: Trail) -> None:
        before, entry.state = str(entry.state), state
        session.add(entry)
        record(session, trail, entry.community_id, f"waitlist.{state}", ("waitlist_entry", entry.id), member=entry.member_id,
               before={"state": before}, after={"state": str(state)})  # fmt: skip
