from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import counted, opens, quoted
from bots.commands.resource import sellable
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind

SPEC = CommandSpec(
    ("doorman", "plan", "add"),
    "Have a plan open one more role; everyone who has the plan gets it",
    (
        Option("plan", "The plan's name", required=True, highest=60),
        Option("role", "The role to add", OptionKind.RESOURCE, required=True),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Have the role checked, then add it."""
    name = required(call, "plan", "Say which plan.")
    label = await sellable(desk, call, "role")
    plan = await desk.plans.add_resource(call.home.community_id, name, call.home.space_id, label, actor=call.who.actor, cause=call.cause)
    now = f" {counted(plan.members, 'member')} will have {label.name} in a moment." if plan.members else ""
    return CommandReply(f"{plan.name} opens {label.name}", (quoted(plan.name), f" now opens {opens(plan)}.{now}"))


COMMAND = Command(SPEC, run)
