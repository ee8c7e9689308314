from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import listed
from core.commands import Audience, CommandKind, CommandReply, CommandSpec, Option
from core.ids import OrderId

SPEC = CommandSpec(
    ("refund", "order"),
    "Give the money back to somebody who paid and could not be let in, or paid twice",
    (Option("argument", "The order", required=True),),
    Audience.CREATOR,
    kind=CommandKind.BUTTON,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Give one order's money back."""
    order = OrderId(required(call, "argument", "Press a button of /doorman tasks."))
    given = await desk.giving_back.give_back(call.home.community_id, order, actor=call.who.actor, cause=call.cause)
    back = listed([str(amount) for amount in given.amounts])
    money = f"{back} is on its way back to them" if back else "Nothing had been paid yet, or it was given back before"
    if given.kept:
        return CommandReply(f"@{given.name} pays once now", (f"Their second {given.plan} has ended, the first goes on. {money}.",))
    return CommandReply(f"@{given.name} is not charged any more", (f"Their {given.plan} has ended. {money}. They may buy again any time.",))


COMMAND = Command(SPEC, run)
