from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import counted, quoted
from core.commands import Audience, CommandReply, CommandSpec, Option

SPEC = CommandSpec(
    ("doorman", "plan", "archive"),
    "Stop selling a plan; whoever has it keeps it",
    (Option("plan", "The plan's name", required=True, highest=60),),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Take the plan off sale."""
    name = required(call, "plan", "Say which plan.")
    plan = await desk.plans.archive(call.home.community_id, name, actor=call.who.actor, cause=call.cause)
    stay = f" {counted(plan.members, 'member')} keep it for as long as they pay." if plan.members > 1 else ""
    stay = " Its one member keeps it for as long as they pay." if plan.members == 1 else stay
    return CommandReply(f"{plan.name} is no longer sold", (quoted(plan.name), f" and its links sell nothing from now on.{stay}"))


COMMAND = Command(SPEC, run)
