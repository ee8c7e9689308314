"""Nobody pays and is left outside: each paid order is watched until its payer is in; then another way in, then the creator's word."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import Remedy
from core.events import Notice, NoticeKind
from core.ids import Ids, MemberId, ResourceId
from storage import delivering, grants, plan_resources, retrying
from storage.audit import Trail, record
from storage.database import Session
from storage.delivering import Delivery
from storage.entitlements import EntitlementState
from storage.grants import Actual, GrantStatus, GrantTask
from storage.outbox import add_notice
from storage.sweeping import Sweep, Tally

NUDGE_AFTER = timedelta(minutes=10)
"""How long somebody who paid may be outside before they are shown another way in: most come by the first within a minute."""
ASK_AFTER = timedelta(hours=24)
"""How long until the creator is asked, and may give the money back."""
SOON, LATER = timedelta(minutes=1), timedelta(hours=1)
INSIDE, OVER = "inside", "over"
"""How a watch ends: the payer has everything, or what was paid for has ended, given back or run out."""
NOTHING_OPENED = "the payment arrived, but nothing was opened by it"


class Step(StrEnum):
    """What is to be done about a paid order now."""

    CLOSE_INSIDE = INSIDE
    CLOSE_OVER = OVER
    NUDGE = "nudge"
    ASK = "ask"
    WAIT = "wait"


async def watch(session: Session, sweep: Sweep, ids: Ids, limit: int) -> Tally:
    """Look at paid orders that are due; returns how many payers were shown another way in or creators asked, by community."""
    done, trail = Tally(), Trail(ids, sweep.at, sweep.cause)
    for delivery in await delivering.due(session, sweep.at, limit):
        step, why = await _decide(session, delivery, sweep.at)
        await _carry_out(session, delivery, step, why, trail)
        done[delivery.row.community_id] += step in {Step.NUDGE, Step.ASK}
    return +done


async def foretell(session: Session, sweep: Sweep, limit: int) -> Tally:
    """Count what :func:`watch` would do."""
    steps = [(one.row.community_id, (await _decide(session, one, sweep.at))[0]) for one in await delivering.due(session, sweep.at, limit)]
    return Tally(community for community, step in steps if step in {Step.NUDGE, Step.ASK})


async def _decide(session: Session, delivery: Delivery, now: datetime) -> tuple[Step, str]:
    """Return what is to be done, and what keeps the payer outside."""
    row, order = delivery.row, delivery.order
    opened = await delivering.opened(session, order)
    if opened is not None and opened.state == EntitlementState.ENDED:
        return Step.CLOSE_OVER, ""
    why = NOTHING_OPENED
    if opened is not None:
        wanted = frozenset(await plan_resources.of_plan(session, opened.plan_id))
        why = _missing(await grants.of_member(session, MemberId(order.member_id)), wanted)
    if not why:
        return Step.CLOSE_INSIDE, ""
    age = now - row.paid_at
    if age >= ASK_AFTER and row.asked_at is None:
        return Step.ASK, why
    return (Step.NUDGE if age >= NUDGE_AFTER and row.nudged_at is None and row.asked_at is None else Step.WAIT), why


async def _carry_out(session: Session, delivery: Delivery, step: Step, why: str, trail: Trail) -> None:
    row = delivery.row
    row.why, row.due_at = why, trail.at + (SOON if trail.at - row.paid_at < LATER else LATER)
    session.add(row)
    match step:
        case Step.CLOSE_INSIDE | Step.CLOSE_OVER:
            close(session, delivery, step, trail)
        case Step.ASK:
            await _ask(session, delivery, trail)
        case Step.NUDGE:
            await _nudge(session, delivery, trail)
        case Step.WAIT:
            pass


def close(session: Session, delivery: Delivery, outcome: Step, trail: Trail) -> None:
    """End the watch over an order."""
    row, order = delivery.row, delivery.order
    row.outcome, row.done_at = str(outcome), trail.at
    session.add(row)
    record(session, trail, row.community_id, "delivery.done", ("order", order.id), member=order.member_id, after={"outcome": str(outcome)})


def _missing(held: Sequence[GrantTask], wanted: frozenset[ResourceId]) -> str:
    """Return what keeps somebody from the first thing that is not theirs yet; empty when they have all of it."""
    live = {task.resource_row.id: task for task in held if task.grant.wanted and task.account.active}
    for resource in sorted(wanted):
        task = live.get(resource)
        if task is None:
            return "they have no account there yet"
        if task.grant.actual != Actual.GRANTED or task.grant.status != GrantStatus.DONE:
            return _stands(task)
    return ""


def _stands(task: GrantTask) -> str:
    name = task.resource_row.name
    if task.grant.status == GrantStatus.BLOCKED and task.grant.remedy == Remedy.MEMBER:
        return f"{name}: they have not come into {task.space_row.name} yet"
    return f"{name}: {task.grant.error.rstrip('.')}" if task.grant.error else f"{name}: it is on its way"


async def _nudge(session: Session, delivery: Delivery, trail: Trail) -> None:
    """Have another invite made where none is out, and show the payer where they come in."""
    row, order = delivery.row, delivery.order
    row.nudged_at = trail.at
    await retrying.another_way(session, MemberId(order.member_id), trail)
    record(session, trail, row.community_id, "delivery.nudged", ("order", order.id), member=order.member_id, answer=row.why)
    notice = Notice(NoticeKind.WAY_IN, {"plan": delivery.plan.name, "order": order.id})
    await add_notice(session, trail, row.community_id, notice, member=MemberId(order.member_id), dedupe=f"way_in:{order.id}")


async def _ask(session: Session, delivery: Delivery, trail: Trail) -> None:
    row, order = delivery.row, delivery.order
    row.asked_at = trail.at
    record(session, trail, row.community_id, "delivery.asked", ("order", order.id), member=order.member_id, answer=row.why)
    facts = {
        "who": delivery.account.name, "plan": delivery.plan.name, "amount": str(delivery.money), "since": row.paid_at.isoformat(),
        "why": row.why,
    }  # fmt: skip
    notice = Notice(NoticeKind.UNDELIVERED, facts)
    await add_notice(session, trail, row.community_id, notice, member=MemberId(order.member_id), dedupe=f"undelivered:{order.id}")
