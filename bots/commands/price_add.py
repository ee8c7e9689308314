from billing.plan import parse_interval
from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import listed, quoted
from core.commands import Audience, CommandReply, CommandSpec, Option
from core.money import parse_money
from core.text import Code

SPEC = CommandSpec(
    ("doorman", "price", "add"),
    "Sell a plan at one more price: by the year, in another currency, or for what people like",
    (
        Option("plan", "The plan's name", required=True, highest=60),
        Option("price", "Like 99 USD; where people choose, what you suggest", required=True, lowest=1, highest=30),
        Option("interval", "week, month, year, 30 days, or once for life", required=True, highest=30),
        Option("floor", "Lets people pay what they like: the least they may, like 3 USD", highest=30),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Add the price, and say what the plan can be had for."""
    price = parse_money(required(call, "price", "Say what it costs, like 99 USD."), call.home.currency)
    floor = parse_money(call.text("floor"), price.currency) if call.text("floor") else None
    plan, made = await desk.plan_terms.add_price(
        call.home.community_id,
        required(call, "plan", "Say which plan."),
        price,
        parse_interval(required(call, "interval", "Say how often it is paid: week, month, year, 30 days or once.")),
        floor,
        actor=call.who.actor,
        cause=call.cause,
    )
    every = listed([str(one) for one in plan.prices])
    return CommandReply(
        f"{plan.name} can be had for {made}",
        (quoted(plan.name), f" costs {every}. People choose on its link's page; ", Code("/doorman price change"), " changes an amount."),
    )


COMMAND = Command(SPEC, run)
