"""Days the creator gives for nothing."""

from dataclasses import dataclass
from datetime import datetime

from billing import stock
from billing.giving import Extensions, give
from core.clock import Clock
from core.errors import Refusal
from core.events import Notice, NoticeKind
from core.ids import CauseId, CommunityId, Ids, MemberId
from core.payments import Interval, IntervalUnit
from core.people import Identity
from storage import accounts, members, plans
from storage.audit import Trail, record
from storage.database import Database
from storage.entitlements import SourceKind
from storage.outbox import add_notice
from storage.plans import PlanStatus

MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Comped:
    """Until when they have it, or when they pay next where they pay already."""

    plan: str
    until: datetime | None
    pays_next: bool


class Comps:
    """Gives days."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids, extensions: Extensions) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._extensions = extensions

    async def give(self, community: CommunityId, who: Identity, plan: str, days: int, *, actor: str, cause: CauseId) -> Comped:
        """Give ``who`` days of a plan. ``cause`` names them: the same command run again gives nothing more.

        Refusals ``bad_days``, ``plan_unknown``, ``plan_broken``, ``sold_out``, ``has_for_life``, ``just_given``.
        """
        if not 1 <= days <= MOST_DAYS:
            raise Refusal("bad_days", f"Say how many days, from 1 to {MOST_DAYS:,}.")
        async with self._db.transaction() as session:
            row = await plans.by_name(session, community, plan)
            if row is None or row.status != PlanStatus.ACTIVE:
                raise Refusal("plan_unknown", f"There is no plan “{plan[:60]}” here. /doorman plan list shows them all.")
            view = await plans.view(session, row)
            if view.problem:
                raise Refusal("plan_broken", f"“{view.name}” can't be delivered right now: {view.problem} Mend that, then give it.")
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            account = await accounts.ensure(session, community, who, self._ids, trail.at)
            await members.hold(session, account.member_id)
            await stock.take(session, view, account.member_id)
            source = (SourceKind.COMP, str(cause))
            given = await give(session, (community, account.member_id), row.id, Interval(IntervalUnit.DAYS, days), source, trail)
            record(session, trail, community, "comp.given", ("plan", row.id), member=account.member_id, after={"days": days})
            until = given.until.isoformat() if given.until else None
            notice = Notice(NoticeKind.COMP, {"plan": view.name, "days": days, "until": until, "pays_next": given.extension is not None})
            await add_notice(session, trail, community, notice, member=MemberId(account.member_id), dedupe=f"comp:{cause}")
        if given.extension is not None:
            await self._extensions.carry_out(given.extension)
        return Comped(view.name, given.until, pays_next=given.extension is not None)
