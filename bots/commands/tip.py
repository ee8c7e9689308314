from billing.tip import LONGEST_MESSAGE
from bots.commands.call import Call, Command, Desk, required
from core.commands import CommandReply, CommandSpec, Option, OptionKind, ReplyButton
from core.money import parse_money

SPEC = CommandSpec(
    ("tip",),
    "Say thanks to the creator with money",
    (
        Option("amount", "Like 5 USD", required=True, highest=30),
        Option("message", "A few words to go with it", highest=LONGEST_MESSAGE),
        Option("anonymous", "Leave your name out of the thanks", OptionKind.BOOLEAN),
    ),
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Open a payment for the tip."""
    amount = parse_money(required(call, "amount", "Say how much, like 5 USD."), call.home.currency)
    hidden = call.yes("anonymous")
    started = await desk.tips.start(
        call.home.community_id, call.home.space_id, call.who, amount, call.text("message"), anonymous=hidden, cause=call.cause
    )
    name = "without your name" if hidden else "in your name"
    return CommandReply(
        f"A tip of {started.amount}",
        (f"Once it is paid, {call.home.community_name} is told {name}. Nothing is charged until you pay.",),
        (ReplyButton(f"Pay {started.amount}", started.url),),
    )


COMMAND = Command(SPEC, run)
