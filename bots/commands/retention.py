from billing.pausing import LONGEST
from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind

SPEC = CommandSpec(
    ("doorman", "retention"),
    "Set what whoever cancels is offered to stay, and for how long members may pause",
    (
        Option("percent", "What is taken off if they stay; 0 offers nothing", OptionKind.INTEGER, lowest=0, highest=100),
        Option("months", "For how many months; one payment when left out", OptionKind.INTEGER, lowest=1, highest=12),
        Option("longest_pause", "In months; 0 lets nobody pause", OptionKind.INTEGER, lowest=0, highest=12),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Set it, and say how it stands."""
    row = await desk.cancellations.offer(
        call.home.community_id,
        call.whole("percent"),
        call.whole("months"),
        call.whole("longest_pause"),
        actor=call.who.actor,
        cause=call.cause,
    )
    often = counted(row.save_months, "month") if row.save_months else "one payment"
    offer = (
        f"Whoever cancels is offered {row.save_percent} % off {often} to stay, once." if row.save_percent else "Nothing is offered to stay."
    )
    longest = LONGEST if row.longest_pause is None else row.longest_pause
    pauses = f"Members may pause for up to {counted(longest, 'month')}." if longest else "Members can't pause."
    return CommandReply("Staying and leaving", (f"{offer} {pauses} Everybody who cancels is asked why.",))


COMMAND = Command(SPEC, run)
