from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import counted, quoted
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.errors import Refusal
from core.text import Moment, Text

SPEC = CommandSpec(
    ("doorman", "comp"),
    "Give somebody days of a plan for nothing",
    (
        Option("who", "The person", OptionKind.USER, required=True),
        Option("plan", "The plan's name", required=True, highest=60),
        Option("days", "How many days", OptionKind.INTEGER, required=True, lowest=1, highest=3650),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Give the days."""
    who, days = call.person("who"), call.whole("days") or 0
    if who is None:
        raise Refusal("missing_option", "Say whom they are for.")
    given = await desk.comps.give(
        call.home.community_id, who, required(call, "plan", "Say which plan."), days, actor=call.who.actor, cause=call.cause
    )
    until: Text = (" has it until ", Moment(given.until), ".") if given.until else (" has it.",)
    if given.pays_next and given.until:
        until = (" pays for it already: their next payment is on ", Moment(given.until), " now.")
    return CommandReply(
        f"{counted(days, 'day')} for @{who.name}", (quoted(given.plan), f" is on its way. @{who.name}", *until, " They are told.")
    )


COMMAND = Command(SPEC, run)
