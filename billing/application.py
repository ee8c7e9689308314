"""Where the creator accepts somebody before they may pay."""

from dataclasses import dataclass

from core.clock import Clock
from core.errors import Refusal
from core.events import Notice, NoticeKind
from core.ids import ApplicationId, CauseId, CommunityId, Ids, MemberId
from storage import applications
from storage.accounts import AccountRow
from storage.applications import ApplicationRow, ApplicationState
from storage.audit import Trail, record
from storage.database import Database, Session
from storage.invites import InviteFacts
from storage.outbox import add_notice
from storage.plans import PlanRow

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who asks for what."""

    id: ApplicationId
    name: str
    plan: str


async def answered(session: Session, facts: InviteFacts, account: AccountRow, trail: Trail) -> Refusal | None:
    """Return why somebody may not pay yet as far as the creator says, None when they may; ask the creator who has not been asked.

    Refusals ``asked_first`` until the creator answers, ``not_accepted`` when the answer was no. The caller commits before it raises one.
    """
    if not facts.plan.approval:
        return None
    known = await applications.of_member(session, facts.plan.id, account.member_id)
    if known is None:
        await _ask(session, facts, account, trail)
    where, plan = facts.link.community_name, facts.plan.name
    match known.state if known else ApplicationState.WAITING:
        case ApplicationState.WAITING:
            return Refusal(
                "asked_first",
                f"{where} looks at everybody who asks for “{plan}” before they pay. Your question is there, and you are told as soon as "
                "it is answered. Nothing was charged.",
            )
        case ApplicationState.DECLINED:
            return Refusal(
                "not_accepted",
                f"{where} has not accepted you for “{plan}”. Nothing was charged. Ask its owner if you think that is a mistake; "
                "they can change it.",
            )
    return None


async def _ask(session: Session, facts: InviteFacts, account: AccountRow, trail: Trail) -> None:
    row = ApplicationRow(
        id=ApplicationId(trail.ids.new()), community_id=account.community_id, plan_id=facts.plan.id,
        member_id=account.member_id, account_id=account.id, asked_at=trail.at,
    )  # fmt: skip
    session.add(row)
    record(session, trail, row.community_id, "application.waiting", ("application", row.id), member=row.member_id,
           after={"plan": facts.plan.name})  # fmt: skip
    notice = Notice(NoticeKind.APPLICATION, {"application": row.id, "plan": facts.plan.name, "who": account.name})
    await add_notice(session, trail, row.community_id, notice, member=MemberId(row.member_id), dedupe=f"application:{row.id}")


class Applications:
    """Shows the creator who asks, and keeps what they say."""

    def __init__(self, *, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def listing(self, community: CommunityId) -> list[Applicant]:
        """Return who waits for an answer, the longest first."""
        async with self._db.reading() as session:
            found = await applications.waiting(session, community, SHOWN)
            return [await self._applicant(session, row) for row in found]

    async def decide(self, community: CommunityId, application: str, *, accept: bool, actor: str, cause: CauseId) -> Applicant:
        """Accept or decline somebody and have them told; a decision may be changed until they have paid.

        Refusal ``application_unknown``.
        """
        async with self._db.transaction() as session:
            row = await session.get(ApplicationRow, ApplicationId(application), with_for_update=True)
            if row is None or row.community_id != community:
                raise Refusal("application_unknown", "Nobody asks under that button any more. /doorman applications shows who waits.")
            applicant = await self._applicant(session, row)
            state = ApplicationState.ACCEPTED if accept else ApplicationState.DECLINED
            if row.state == state:
                return applicant
            trail = Trail(self._ids, self._clock.now(), cause, actor)
            before, row.state, row.decided_at = str(row.state), state, trail.at
            session.add(row)
            record(session, trail, community, f"application.{state}", ("application", row.id), member=row.member_id,
                   before={"state": before}, after={"state": str(state)})  # fmt: skip
            kind = NoticeKind.ACCEPTED if accept else NoticeKind.DECLINED
            notice = Notice(kind, {"plan": applicant.plan})
            dedupe = f"{kind}:{row.id}:{trail.at.isoformat()}"
            await add_notice(session, trail, community, notice, member=MemberId(row.member_id), dedupe=dedupe)
            return applicant

    async def _applicant(self, session: Session, row: ApplicationRow) -> Applicant:
        account = await session.get_one(AccountRow, row.account_id)
        plan = await session.get_one(PlanRow, row.plan_id)
        return Applicant(row.id, account.name, plan.name)
