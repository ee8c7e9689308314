from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import opens, quoted
from bots.commands.resource import named
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.text import Text

SPEC = CommandSpec(
    ("doorman", "plan", "remove"),
    "Have a plan no longer open a role; who got it from this plan loses it",
    (
        Option("plan", "The plan's name", required=True, highest=60),
        Option("role", "The role to take out", OptionKind.RESOURCE, required=True),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Take the role out; one that is broken or gone must be removable too, so it is not checked."""
    name = required(call, "plan", "Say which plan.")
    label = await named(desk, call, "role")
    plan = await desk.plans.remove_resource(call.home.community_id, name, call.home.space_id, label, actor=call.who.actor, cause=call.cause)
    body: Text = (quoted(plan.name), f" now opens {opens(plan)}. Members who have {label.name} from another plan of yours keep it.")
    return CommandReply(f"{plan.name} no longer opens {label.name}", body)


COMMAND = Command(SPEC, run)
