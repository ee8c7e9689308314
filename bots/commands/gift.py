from billing.gift import NewGift
from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import quoted
from core.commands import CommandReply, CommandSpec, Option, OptionKind, ReplyButton
from core.text import Text, Url

SPEC = CommandSpec(
    ("gift",),
    "Give somebody a membership here",
    (
        Option("plan", "Which plan", required=True, highest=60),
        Option("who", "Who gets it; left out, you get a link to pass on", OptionKind.USER),
        Option("count", "How many months, years or passes of it; one when left out", OptionKind.INTEGER, lowest=1, highest=24),
    ),
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Open a payment for the gift."""
    who = call.person("who")
    new = NewGift(required(call, "plan", "Say which plan: /join shows them."), call.whole("count") or 1, who)
    started = await desk.gifts.start(call.home.community_id, call.who, new, cause=call.cause)
    whom: Text = (
        (f" Once it is paid, @{who.name} has it and is told that it is from you; who has it already pays later.",)
        if who
        else (
            " Once it is paid, pass this link on; whoever opens it first has it: ",
            Url(f"{desk.public_url.rstrip('/')}/gift/{started.code}"),
        )
    )
    return CommandReply(
        f"A gift for {started.amount}",
        (quoted(started.plan), f" {started.lasts}. It does not renew.", *whom),
        (ReplyButton(f"Pay {started.amount}", started.url),),
    )


COMMAND = Command(SPEC, run)
