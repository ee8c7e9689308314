"""Our own page in a platform's client, where it has one: one's own membership, and how the community stands for whoever manages it."""

from bots.commands import plan_list, status, tasks
from bots.commands.call import Call, Command, Desk
from core.commands import CommandKind, CommandReply, CommandSpec
from core.text import Text

SPEC = CommandSpec(("home",), "Your membership; and for whoever manages the community, how it stands", kind=CommandKind.HOME)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show the asker's status, and below it what is sold and what only they can do when they may manage."""
    own = await status.run(desk, call)
    if not call.request.can_manage:
        return own
    sold, todo = await plan_list.run(desk, call), await tasks.run(desk, call)
    return CommandReply(own.title, own.body, own.buttons, (*own.fields, *_section(sold), *_section(todo)))


def _section(reply: CommandReply) -> tuple[tuple[str, Text], ...]:
    return ((reply.title, reply.body), *reply.fields)


COMMAND = Command(SPEC, run)
