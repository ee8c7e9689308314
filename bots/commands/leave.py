"""Pausing, resuming and cancelling, by command or by button; whoever cancels is asked why, and may be offered something to stay."""

from billing.cancelling import REASONS, Leaving
from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import counted, quoted
from core.commands import CommandKind, CommandReply, CommandSpec, Option, OptionKind, ReplyButton
from core.text import Code, Moment, Text

CANCEL = CommandSpec(("cancel",), "Cancel your subscription; you keep what you paid for until it ends")
PAUSE = CommandSpec(
    ("pause",),
    "Pause your subscription: nothing is charged, and you keep your place",
    (Option("months", "For how many months; one when left out", OptionKind.INTEGER, lowest=1, highest=12),),
)
RESUME = CommandSpec(("resume",), "Go on with a subscription you paused")
BUTTON = CommandSpec(("leave",), "Go on with cancelling, or stay", kind=CommandKind.BUTTON)
NOW, STAY, PAUSED = "now", "stay", "pause"


async def cancel(desk: Desk, call: Call) -> CommandReply:
    """Ask why."""
    leaving = await desk.cancellations.look(call.home.community_id, call.who)
    return CommandReply(
        "Before you go: why?",
        ("Your ", quoted(leaving.plan), " stays on until ", Moment(leaving.ends_at), " whatever you choose. It ends once you say why."),
        tuple(ReplyButton(words, action=f"leave:{reason}") for reason, words in REASONS.items()),
    )


async def press(desk: Desk, call: Call) -> CommandReply:
    """Go on: offer something where there is something, else cancel."""
    if not call.text("argument"):
        return await cancel(desk, call)
    reason, _, wish = call.text("argument").partition(" ")
    community = call.home.community_id
    if wish == STAY:
        return _stays(await desk.cancellations.stay(community, call.who, reason, cause=call.cause))
    if wish == PAUSED:
        return await pause(desk, call)
    leaving = await desk.cancellations.look(community, call.who)
    if wish != NOW and (leaving.percent is not None or leaving.pause):
        return _offer(leaving, reason)
    ended = await desk.cancellations.cancel(community, call.who, reason, cause=call.cause)
    return CommandReply(
        "Your subscription is cancelled",
        ("Thank you for saying why. Your ", quoted(ended.plan), " stays on until ", Moment(ended.ends_at),
         ", and nothing more is charged. Changed your mind? ", Code("/manage"), " turns it back on."),
    )  # fmt: skip


def _offer(leaving: Leaving, reason: str) -> CommandReply:
    often = counted(leaving.months, "month") if leaving.months else "your next payment"
    buttons: tuple[ReplyButton, ...] = ()
    if leaving.percent is not None:
        buttons = (ReplyButton(f"Stay, with {leaving.percent} % off", action=f"leave:{reason} {STAY}"),)
    if leaving.pause:
        buttons += (ReplyButton("Pause for a month instead", action=f"leave:{reason} {PAUSED}"),)
    offer: Text = (f"Stay, and {leaving.percent} % is taken off {often}. ",) if leaving.percent is not None else ()
    return CommandReply(
        "One thing before you go",
        (*offer, *(("Or pause: nothing is charged for a month, and you keep your place. ",) if leaving.pause else ()), "It is up to you."),
        (*buttons, ReplyButton("Cancel anyway", action=f"leave:{reason} {NOW}")),
    )


def _stays(stays: Leaving) -> CommandReply:
    often = counted(stays.months, "month") if stays.months else "your next payment"
    return CommandReply(
        "Good to have you", (f"{stays.percent} % is taken off {often} of your ", quoted(stays.plan), ". Nothing else changes.")
    )


async def pause(desk: Desk, call: Call) -> CommandReply:
    """Pause for as long as was asked."""
    paused = await desk.pauses.pause(call.home.community_id, call.who, call.whole("months") or 1, cause=call.cause)
    return CommandReply(
        "Your subscription is paused",
        ("Your ", quoted(paused.plan), " stays on until ", Moment(paused.until), ", which is paid for. It is paid for again, and on, from ",
         Moment(paused.resumes_at), ". ", Code("/resume"), " ends the pause sooner."),
    )  # fmt: skip


async def resume(desk: Desk, call: Call) -> CommandReply:
    """End the pause."""
    resumed = await desk.pauses.resume(call.home.community_id, call.who, cause=call.cause)
    charged = (
        "A new period begins now and is charged; access comes with it."
        if resumed.charged
        else "Nothing is charged before its next payment."
    )
    return CommandReply(
        "Welcome back", ("Your ", quoted(resumed.plan), f" goes on. {charged} That period ends on ", Moment(resumed.period_end), ".")
    )


CANCEL_COMMAND = Command(CANCEL, cancel)
PAUSE_COMMAND = Command(PAUSE, pause)
RESUME_COMMAND = Command(RESUME, resume)
BUTTON_COMMAND = Command(BUTTON, press)
