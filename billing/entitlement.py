"""The one way an entitlement changes."""

from core.entitlement import Access, Verdict
from core.ids import PlanId
from storage.audit import Trail, record
from storage.database import Session
from storage.entitlements import EntitlementRow, EntitlementState
from storage.outbox import add_reconcile


async def change(
    session: Session, held: EntitlementRow, access: Access, plan: PlanId, trail: Trail, *, suspended: bool | None = None
) -> None:
    """Make an entitlement open or end, audit it, and have the member reconciled when what it opens may have changed.

    ``suspended`` begins or ends that it opens nothing though it has not ended; what is suspended stays so unless that is said.
    """
    before = held.facts
    opened = access.verdict is Verdict.OPEN
    waits = held.state == EntitlementState.SUSPENDED if suspended is None else suspended
    held.state = (EntitlementState.SUSPENDED if waits else EntitlementState.ACTIVE) if opened else EntitlementState.ENDED
    held.plan_id = plan
    held.expires_at = access.until if opened else held.expires_at
    held.ended_at = None if opened else (held.ended_at or trail.at)
    held.cause_id = trail.cause
    session.add(held)
    after = held.facts
    if before == after:
        return
    record(session, trail, held.community_id, "entitlement.changed", ("entitlement", held.id), member=held.member_id,
           before=before, after=after)  # fmt: skip
    if (before["state"], before["plan"]) != (after["state"], after["plan"]):
        await add_reconcile(session, trail, held.community_id, held.member_id)
