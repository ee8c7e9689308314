"""What a member is told of when their subscription changes; the sweep sends the reminders."""

from typing import Any

from core.events import Notice, NoticeKind
from core.ids import MemberId
from storage import disputes, doubles, entitlements, subscriptions
from storage.audit import Trail
from storage.database import Session
from storage.entitlements import SourceKind
from storage.outbox import add_notice
from storage.plans import PlanRow
from storage.subscriptions import SubscriptionRow

AT_ONCE = 10
"""Doubles of one member that are told of together."""


async def tell_changed(session: Session, row: SubscriptionRow, before: dict[str, Any], trail: Trail) -> None:
    """Tell of a cancel that keeps access for now, and of a failed renewal that was mended."""
    cancelled = row.cancel_at is not None and row.status in {"active", "trialing"} and before["cancel_at"] is None
    mended = before["past_due_since"] and row.past_due_since is None and row.status == "active"
    if not cancelled and not mended:
        return
    plan = await session.get_one(PlanRow, row.plan_id)
    if cancelled and row.cancel_at is not None:
        notice = Notice(NoticeKind.ENDING, {"plan": plan.name, "at": row.cancel_at.isoformat()})
        dedupe = f"ending:{row.id}:{row.cancel_at.isoformat()}:{trail.cause}"
        await add_notice(session, trail, row.community_id, notice, member=row.member_id, dedupe=dedupe)
    if mended:
        notice = Notice(NoticeKind.RENEWED, {"plan": plan.name, "until": row.period_end.isoformat()})
        dedupe = f"renewed:{row.id}:{row.period_end.isoformat()}"
        await add_notice(session, trail, row.community_id, notice, member=row.member_id, dedupe=dedupe)


async def tell_ended(session: Session, row: SubscriptionRow, trail: Trail) -> None:
    """Tell that a subscription opens nothing any more, unless they have the plan by something else."""
    others = await entitlements.live(session, row.community_id, MemberId(row.member_id), row.plan_id)
    if others:
        return
    plan = await session.get_one(PlanRow, row.plan_id)
    renews = row.status not in subscriptions.OVER and row.cancel_at is None
    notice = Notice(NoticeKind.ENDED, {"plan": plan.name, "why": await _why(session, row), "renews": renews})
    dedupe = f"ended:{row.id}:{trail.cause}"
    await add_notice(session, trail, row.community_id, notice, member=row.member_id, dedupe=dedupe)


async def tell_doubles(session: Session, row: SubscriptionRow, trail: Trail) -> None:
    """Tell a member and the creator where two subscriptions pay for one plan: the later is offered for refund. Again while it goes on."""
    for double in await doubles.of_member(session, row.community_id, row.member_id, row.plan_id, AT_ONCE):
        facts = {"plan": double.plan.name, "amount": str(double.price.money), "who": double.account.name, "order": double.order.id}
        for kind in (NoticeKind.PAYS_TWICE, NoticeKind.DOUBLE):
            dedupe = f"{kind}:{double.row.id}:{double.row.period_end.isoformat()}"
            await add_notice(session, trail, row.community_id, Notice(kind, facts), member=row.member_id, dedupe=dedupe)


async def _why(session: Session, row: SubscriptionRow) -> str:
    if await disputes.lost(session, SourceKind.SUBSCRIPTION, row.id):
        return "dispute"
    if row.status in {"past_due", "unpaid"} or row.past_due_since is not None:
        return "payment"
    return "refund" if row.refunded_until is not None else "ended"
