"""`/doorman help`: written from the other commands, so that it cannot fall behind them.

It is the creator's, like all of `/doorman`: a platform may then hide the whole of it from members, who have commands of their own.
"""

from collections.abc import Sequence

from bots.commands.call import Call, Command, Desk
from core.commands import Audience, CommandReply, CommandSpec
from core.text import Code, Text


def help_on(commands: Sequence[Command]) -> Command:
    """Return the command that explains ``commands``."""
    rows: tuple[tuple[str, Text], ...] = tuple((f"/{command.spec.name}", (f"{command.spec.description}.",)) for command in commands)

    async def run(_desk: Desk, _call: Call) -> CommandReply:
        return CommandReply(
            "What I can do",
            ("Start with ", Code("/doorman plan create"), ", then post a link from ", Code("/doorman invite"), "."),
            fields=rows,
        )

    return Command(CommandSpec(("doorman", "help"), "See what I can do, and where to start", audience=Audience.CREATOR), run)
