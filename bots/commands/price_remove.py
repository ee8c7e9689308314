from billing.plan import parse_interval
from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import listed, quoted
from core.commands import Audience, CommandReply, CommandSpec, Option
from core.money import Money

SPEC = CommandSpec(
    ("doorman", "price", "remove"),
    "Sell a plan at one price less; whoever pays it keeps it",
    (
        Option("plan", "The plan's name", required=True, highest=60),
        Option("interval", "Which of its prices: week, month, year, 30 days or once", required=True, highest=30),
        Option("currency", "Like USD; your own when left out", lowest=3, highest=3),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Take the price off sale."""
    currency = call.text("currency").upper() or call.home.currency
    interval = parse_interval(required(call, "interval", "Say which of its prices: week, month, year, 30 days or once."))
    plan = await desk.plan_terms.remove_price(
        call.home.community_id,
        required(call, "plan", "Say which plan."),
        Money(0, currency),
        interval,
        actor=call.who.actor,
        cause=call.cause,
    )
    every = listed([str(price) for price in plan.prices])
    return CommandReply(
        f"{plan.name} is no longer sold {interval}", (quoted(plan.name), f" costs {every} now. Who pays the other keeps it.")
    )


COMMAND = Command(SPEC, run)
