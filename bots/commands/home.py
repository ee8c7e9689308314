"""Our own page in a platform's client, where it has one: one's own membership, and how the community stands for whoever manages it."""

from bots.commands import plan_list, progress, status, tasks
from bots.commands.call import Call, Command, Desk
from core.commands import CommandKind, CommandReply, CommandSpec
from core.text import Text

SPEC = CommandSpec(("home",), "Your membership; and for whoever manages the community, how it stands", kind=CommandKind.HOME)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show the asker's status, and below it what is sold, what only they can do and what is under way when they may manage."""
    own = await status.run(desk, call)
    if not call.request.can_manage:
        return own
    sold, todo, under_way = [await one.run(desk, call) for one in (plan_list, tasks, progress)]
    return CommandReply(own.title, own.body, own.buttons, (*own.fields, *_section(sold), *_section(todo), *_section(under_way)))


def _section(reply: CommandReply) -> tuple[tuple[str, Text], ...]:
    return ((reply.title, reply.body), *reply.fields)


COMMAND = Command(SPEC, run)
