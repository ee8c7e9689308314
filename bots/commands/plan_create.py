from billing.plan import NewPlan, parse_interval
from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import opens, price, quoted, trial
from bots.commands.resource import sellable
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.money import parse_money
from core.text import Code

SPEC = CommandSpec(
    ("doorman", "plan", "create"),
    "Make a plan to sell: what it costs, how often, and the role it opens",
    (
        Option("name", "What people see, like Gold", required=True, lowest=1, highest=60),
        Option("price", "Like 9.99 USD", required=True, lowest=1, highest=30),
        Option("interval", "week, month, year, a number of days for a pass (30 days), or once for life", required=True, highest=30),
        Option("role", "The role a member gets", OptionKind.RESOURCE, required=True),
        Option("trial_days", "Free days before the first payment", OptionKind.INTEGER, lowest=0, highest=365),
        Option("description", "A sentence on what one gets", highest=300),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Read what was typed, have the role checked, then create the plan."""
    price_asked = parse_money(required(call, "price", "Say what it costs, like 9.99 USD."), call.home.currency)
    interval = parse_interval(required(call, "interval", "Say how often it is paid: week, month, year, 30 days or once."))
    plan = await desk.plans.create(
        NewPlan(
            community=call.home.community_id,
            space=call.home.space_id,
            name=call.text("name"),
            price=price_asked,
            interval=interval,
            trial_days=call.whole("trial_days") or 0,
            description=call.text("description"),
            resources=(await sellable(desk, call, "role"),),
        ),
        actor=call.who.actor,
        cause=call.cause,
    )
    return CommandReply(
        f"{plan.name} is ready to sell",
        (
            quoted(plan.name),
            f" costs {price(plan)}{trial(plan)}, and opens {opens(plan)}. Next: ",
            Code(f"/doorman invite plan:{plan.name}"),
            " makes a link you can post anywhere.",
        ),
    )


COMMAND = Command(SPEC, run)
