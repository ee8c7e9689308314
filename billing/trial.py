"""One trial for a person, whichever account, customer or checkout they come with."""

from core.ids import MemberId
from storage import subscriptions, trials
from storage.audit import Trail
from storage.database import Session
from storage.orders import OrderRow, trying
from storage.plans import PlanView
from storage.trials import TrialRow


async def may_try(session: Session, member: MemberId, plan: PlanView) -> bool:
    """Say whether a member may still try a plan for nothing."""
    if not plan.trial_days or await subscriptions.ever(session, member) or await trying(session, member):
        return False
    return not await trials.had(session, plan.community_id, await trials.marks(session, member))


async def take(session: Session, order: OrderRow, plan: PlanView, trail: Trail) -> int:
    """Return for how many days an order, stored already, tries its plan, and have nobody who is that person try again.

    What an order that comes to nothing took is free again.
    """
    if not await may_try(session, order.member_id, plan):
        return 0
    known_by = await trials.marks(session, order.member_id)
    taken = await trials.take(session, [_row(order, mark, trail) for mark in known_by])
    return plan.trial_days if taken else 0


async def follow(session: Session, order: OrderRow, customer: str, trail: Trail) -> None:
    """Know whoever an order's trial is of by their customer too."""
    await trials.follow(session, _row(order, f"customer:{customer}", trail))


def _row(order: OrderRow, mark: str, trail: Trail) -> TrialRow:
    return TrialRow(
        id=trail.ids.new(), community_id=order.community_id, member_id=order.member_id, order_id=order.id, mark=mark, at=trail.at
    )
