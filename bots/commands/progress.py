from bots.commands.call import Call, Command, Desk
from core.commands import Audience, CommandReply, CommandSpec

SPEC = CommandSpec(
    ("doorman", "progress"), "See what I am still to give or take away, and about how long it takes", audience=Audience.CREATOR
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show what is left in each place, the most of it first."""
    found = await desk.progresses.of(call.home.community_id)
    if not found:
        return CommandReply(
            "Everything is done", ("Everybody has what they paid for, and nobody has what ended, as far as it is mine to do.",)
        )
    return CommandReply(
        "Under way",
        ("Platforms let me make only so many changes a minute; those that let people in come first.",),
        fields=tuple((one.space_name, (str(one),)) for one in found),
    )


COMMAND = Command(SPEC, run)
