from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import quoted
from core.commands import Audience, CommandReply, CommandSpec, Option
from core.text import Code

SPEC = CommandSpec(
    ("doorman", "attach"),
    "Make this place part of a community that is set up elsewhere",
    (Option("code", "From /doorman setup attach:True in the other place", required=True, lowest=1, highest=100),),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Use the code up, and say what may be done now."""
    code = required(call, "code", "Give the code that /doorman setup attach:True showed in the other place.").strip(" `")
    name = await desk.attachments.attach(code, call.space, actor=call.who.actor, cause=call.cause)
    return CommandReply(
        f"{name} is here too",
        (
            "This place is part of ",
            quoted(name),
            " now: whoever may manage it may manage that community. Next: ",
            Code("/doorman plan add"),
            " has a plan open something here as well.",
        ),
    )


COMMAND = Command(SPEC, run)
