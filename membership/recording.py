"""Write down what the platform answered about a grant, and who must know."""

from datetime import datetime

from core.errors import Remedy
from core.events import Notice, NoticeKind
from core.ids import Ids
from membership.outcome import Outcome, overtaken
from membership.owner_task import ask
from storage import plans, resources, retrying
from storage.accounts import AccountRow
from storage.audit import Trail, record
from storage.database import Session, will_wake
from storage.grants import Actual, GrantRow, GrantStatus, GrantTask
from storage.outbox import add_notice, add_reconcile
from storage.resources import ResourceRow


class Recording:
    """Records outcomes, in the transaction of whoever carried them out."""

    def __init__(self, *, ids: Ids) -> None:
        self._ids = ids

    async def record(self, session: Session, task: GrantTask, outcome: Outcome, now: datetime) -> None:
        """Record an outcome, unless what is wanted has changed meanwhile: then the row stays due."""
        refused = outcome
        if outcome.remedy is Remedy.CREATOR:
            resource = await resources.held_for_change(session, task.resource_row.id)
            if resource.found_well > task.resource_row.found_well:
                outcome = overtaken(outcome, task.grant, now)
        row = await session.get_one(GrantRow, task.grant.id, with_for_update=True)
        trail = Trail(self._ids, now, row.cause_id)
        before = row.facts
        if outcome.actual is not None:
            row.actual, row.checked_at = outcome.actual, now
            row.attempted = outcome.carried or (row.attempted and outcome.actual is Actual.GRANTED)
        elif refused.remedy is Remedy.MEMBER or (refused.remedy is Remedy.CREATOR and task.first):
            row.attempted, row.found = outcome.carried, False  # else nothing came of it: what they hold from now on is another's gift
        if row.version == task.grant.version:
            _apply(row, outcome, now)
        session.add(row)
        after = row.facts
        if before != after or outcome.status is not GrantStatus.PENDING:
            action = f"grant.{row.actual if outcome.actual else outcome.status}"
            record(session, trail, row.community_id, action, ("grant", row.id), member=row.member_id,
                   before=before, after=after, answer=outcome.answer or outcome.error)  # fmt: skip
        if row.status == GrantStatus.PENDING:
            will_wake(session, row.lane)
        elif not row.wanted and row.status == GrantStatus.DONE and not (await session.get_one(AccountRow, row.account_id)).active:
            await add_reconcile(session, trail, row.community_id, row.member_id)  # another account may have waited for this
        await self._tell(session, task, row, outcome, trail)

    async def _tell(self, session: Session, task: GrantTask, row: GrantRow, outcome: Outcome, trail: Trail) -> None:
        resource = await session.get_one(ResourceRow, row.resource_id)
        # what the platform was not asked for, or has not got any more, shows nothing
        worked = outcome.actual is Actual.GRANTED or (outcome.actual is Actual.REVOKED and not outcome.answer)
        mended = outcome.remedy is Remedy.MEMBER and bool(resource.problem_code) and task.grant.error_code == resource.problem_code
        if resource.problem and (worked or mended):
            resource.problem, resource.problem_code = "", ""
            session.add(resource)
        if worked and task.grant.attempts:
            await retrying.hurry(session, task.space_row, trail)
        if outcome.actual is Actual.GRANTED:
            for entitlement, plan in await plans.opening(session, row.member_id, row.resource_id):
                facts = {"plan": plan.name, "until": _moment(entitlement.expires_at), "renews": plan.interval.recurring}
                notice = Notice(NoticeKind.WELCOME, facts)
                await add_notice(session, trail, row.community_id, notice, member=row.member_id, dedupe=f"welcome:{entitlement.id}")
        if outcome.remedy is Remedy.CREATOR and not row.wanted and row.status == GrantStatus.BLOCKED:
            await ask(session, task, row, trail)
        if outcome.remedy is Remedy.CREATOR:
            await broken(session, resource, outcome.error, outcome.error_code, trail)


async def broken(session: Session, resource: ResourceRow, problem: str, code: str, trail: Trail) -> None:
    """Stop selling what a resource is part of, and tell the creator once what to mend."""
    if resource.problem == problem:
        return
    first = not resource.problem
    resource.problem, resource.problem_code = problem, code
    session.add(resource)
    if first:
        record(
            session, trail, resource.community_id, "resource.broken", ("resource", resource.id), after={"problem": problem, "code": code}
        )
        notice = Notice(NoticeKind.RESOURCE_BROKEN, {"resource": resource.name, "problem": problem})
        dedupe = f"broken:{resource.id}:{trail.at.isoformat()}"
        await add_notice(session, trail, resource.community_id, notice, dedupe=dedupe)


def _apply(row: GrantRow, outcome: Outcome, now: datetime) -> None:
    row.status, row.attempts = outcome.status, outcome.attempts
    row.error, row.error_code, row.remedy = outcome.error, outcome.error_code, outcome.remedy
    if outcome.invited:
        row.invited_at, row.invite_url = row.invited_at or now, outcome.invite_url
    elif outcome.status is GrantStatus.DONE:
        row.invited_at, row.invite_url = None, row.invite_url if row.wanted else ""
    row.due_at = outcome.due_at or row.due_at


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
