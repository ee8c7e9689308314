from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import quoted
from core.commands import CommandKind, CommandReply, CommandSpec, ReplyButton

BUTTON = CommandSpec(("wait",), "Get in line for a seat, or out of it", kind=CommandKind.BUTTON)
OUT = "out "


async def press(desk: Desk, call: Call) -> CommandReply:
    """Put the asker in line, or take them out of it."""
    plan = required(call, "argument", "Say for what: /join shows it.")
    community = call.home.community_id
    if plan.startswith(OUT):
        name = await desk.waitlist.leave(community, plan.removeprefix(OUT), call.who, cause=call.cause)
        return CommandReply("You are out of the line", ("You are not told when a seat of ", quoted(name), " is free."))
    inline = await desk.waitlist.join(community, plan, call.who, cause=call.cause)
    return CommandReply(
        f"You are number {inline.place} in line",
        ("When a seat of ", quoted(inline.plan), " is free and it is your turn, you are told, and it is kept for you for a day."),
        (ReplyButton("Get out of the line", action=f"wait:{OUT}{plan}"),),
    )


BUTTON_COMMAND = Command(BUTTON, press)
