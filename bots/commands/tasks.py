from collections.abc import Sequence

from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec, ReplyButton
from core.text import Bold, Mention, Moment, MomentStyle, Span, Text
from membership.owner_task import Refundable, Todo, Why

SHOWN, MOST_BUTTONS, LONGEST_LABEL = 20, 5, 75
SPEC = CommandSpec(("doorman", "tasks"), "See what only you can do, and by when", audience=Audience.CREATOR)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show what waits for the owner, the oldest first, with the money at stake."""
    found = await desk.owner_tasks.listing(call.home.community_id, SHOWN + 1)
    if not found:
        return CommandReply("Nothing to do", ("I can do everything here by myself at the moment.",))
    more = f" The first {SHOWN} are shown." if len(found) > SHOWN else ""
    return CommandReply(
        f"{counted(min(len(found), SHOWN), 'thing')} only you can do",
        (f"I look every hour whether they are done, and then say no more about them.{more}",),
        _refunds(found[:SHOWN]),
        tuple((_heading(one), _outside(one) if isinstance(one, Refundable) else _inside(call, one)) for one in found[:SHOWN]),
    )


def _heading(one: Todo | Refundable) -> str:
    return f"{one.plan}: {one.money}" if isinstance(one, Refundable) else one.resource


def _inside(call: Call, todo: Todo) -> Text:
    here = todo.space == call.space
    who: Span = Mention(todo.user) if here else Bold(todo.name)
    where = "" if here else f" in {todo.space_name}"
    worth = f" They read on for nothing, worth {todo.worth} a month." if todo.worth.minor else ""
    return ("Take ", who, f" out of it{where}, by ", Moment(todo.due_at, MomentStyle.DATE), f". {todo.why}{worth}")


def _outside(one: Refundable) -> Text:
    what = f" and is not inside: {one.missing}. I keep trying; the button below gives the money back."
    if one.why is Why.FRAUD:
        what = ", and the card's issuer calls it fraud. Given back now, it costs no dispute; the button below does it."
    if one.why is Why.DOUBLE:
        what = " for a second time. The button below ends that one and gives its last payment back; the first goes on."
    return (Bold(one.name), " paid on ", Moment(one.since, MomentStyle.DATE_TIME), what)


def _refunds(found: Sequence[Todo | Refundable]) -> tuple[ReplyButton, ...]:
    waiting = [one for one in found if isinstance(one, Refundable)]
    return tuple(ReplyButton(_label(one), action=f"refund order:{one.order}") for one in waiting[:MOST_BUTTONS])


def _label(one: Refundable) -> str:
    return f"Refund {one.money} to @{one.name}"[:LONGEST_LABEL]


COMMAND = Command(SPEC, run)
