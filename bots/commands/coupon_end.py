from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec, Option

SPEC = CommandSpec(
    ("doorman", "coupon", "end"),
    "Have a code work no more; what was bought with it keeps it",
    (Option("code", "The code", required=True, highest=40),),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """End the code."""
    ended = await desk.coupons.end(
        call.home.community_id, required(call, "code", "Say which code."), actor=call.who.actor, cause=call.cause
    )
    return CommandReply(
        f"{ended.row.code} works no more", (f"It was used {counted(ended.uses, 'time')}; whoever used it keeps what it gave them.",)
    )


COMMAND = Command(SPEC, run)
