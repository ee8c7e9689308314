"""Seats: a plan of which only so many may be had at a time."""

from core.errors import Refusal
from core.ids import MemberId
from storage import stock, waitlist_entries
from storage.database import Session
from storage.plans import PlanRow, PlanView
from storage.waitlist_entries import WaitlistState

SOLD_OUT = "sold_out"


async def take(session: Session, plan: PlanView, member: MemberId | None) -> None:
    """Refuse (``sold_out``) where no seat is left for a member; what the caller then stores takes it, in this transaction.

    Whoever was offered a seat has it; those who wait come before those who do not. ``member`` is None for a seat of nobody yet.
    """
    if plan.seats is None:
        return
    await stock.hold(session, plan.id)
    mine = await waitlist_entries.of_member(session, plan.id, member) if member else None
    if mine is not None and mine.state == WaitlistState.OFFERED:
        return
    ahead = await waitlist_entries.waiting(session, plan.id, before=mine)
    if await stock.taken(session, plan.id, member) + ahead < plan.seats:
        return
    if mine is not None:
        raise Refusal(SOLD_OUT, f"No seat of “{plan.name}” is free yet. You are number {ahead + 1} in line, and told when it is your turn.")
    line = f" {ahead} {'waits' if ahead == 1 else 'wait'} already." if ahead else ""
    raise Refusal(
        SOLD_OUT,
        f"“{plan.name}” is sold out: all {plan.seats} seats are taken.{line} Nothing was charged. "
        "Put yourself in line, and a seat is kept for you for a day when it is your turn.",
    )


async def took(session: Session, plan: PlanRow, member: MemberId) -> None:
    """Take whoever has a seat now out of the line."""
    if plan.seats is None:
        return
    mine = await waitlist_entries.of_member(session, plan.id, member)
    if mine is not None:
        mine.state = WaitlistState.TAKEN
        session.add(mine)
