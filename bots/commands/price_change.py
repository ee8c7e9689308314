from datetime import timedelta

from billing.plan import parse_interval
from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import counted, quoted
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.money import parse_money

NOTICE = 30
KEEP, MOVE = "keep", "move"
SPEC = CommandSpec(
    ("doorman", "price", "change"),
    "Change what a plan costs; those who pay already keep their price, or are told and moved",
    (
        Option("plan", "The plan's name", required=True, highest=60),
        Option("price", "The new amount, like 12 USD", required=True, lowest=1, highest=30),
        Option("interval", "Which of its prices: week, month, year, 30 days or once", required=True, highest=30),
        Option("members", "keep leaves them their price; move tells them and moves them", required=True, choices=(KEEP, MOVE)),
        Option("notice_days", "How many days before they are told; 30 when left out", OptionKind.INTEGER, lowest=7, highest=365),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Change the price, and say whom it concerns."""
    days = call.whole("notice_days") or NOTICE
    moving = required(call, "members", "Say whether those who pay already keep their price or move.") == MOVE
    changed = await desk.plan_terms.change_price(
        call.home.community_id,
        required(call, "plan", "Say which plan."),
        parse_money(required(call, "price", "Say what it shall cost, like 12 USD."), call.home.currency),
        parse_interval(required(call, "interval", "Say which of its prices: week, month, year, 30 days or once.")),
        notice=timedelta(days=days) if moving else None,
        actor=call.who.actor,
        cause=call.cause,
    )
    told = (
        f" {counted(changed.moved, 'member')} {'is' if changed.moved == 1 else 'are'} told now, and pay it from their first renewal in "
        f"{counted(days, 'day')} or later."
        if changed.moved
        else ""
    )
    kept = f" {counted(changed.kept, 'member')} {'keeps' if changed.kept == 1 else 'keep'} the old price." if changed.kept else ""
    return CommandReply(f"{changed.plan.name} costs {changed.price} now", (quoted(changed.plan.name), f" is sold at that.{told}{kept}"))


COMMAND = Command(SPEC, run)
