from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec
from core.text import Bold, Mention, Moment, MomentStyle, Span, Text
from membership.owner_task import Todo

SHOWN = 20
SPEC = CommandSpec(("doorman", "tasks"), "See what only you can do, and by when", audience=Audience.CREATOR)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show what waits for the owner, the oldest first."""
    found = await desk.owner_tasks.listing(call.home.community_id, SHOWN + 1)
    if not found:
        return CommandReply("Nothing to do", ("I can do everything here by myself at the moment.",))
    more = f" The first {SHOWN} are shown." if len(found) > SHOWN else ""
    return CommandReply(
        f"{counted(min(len(found), SHOWN), 'thing')} only you can do",
        (f"I look every hour whether they are done, and then say no more about them.{more}",),
        fields=tuple((todo.resource, _row(call, todo)) for todo in found[:SHOWN]),
    )


def _row(call: Call, todo: Todo) -> Text:
    here = todo.space == call.space
    who: Span = Mention(todo.user) if here else Bold(todo.name)
    where = "" if here else f" in {todo.space_name}"
    return ("Take ", who, f" out of it{where}, by ", Moment(todo.due_at, MomentStyle.DATE), f". {todo.why}")


COMMAND = Command(SPEC, run)
