from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import counted
from core.commands import Audience, CommandKind, CommandReply, CommandSpec, ReplyButton
from core.errors import Refusal
from core.text import Bold

ACCEPT, DECLINE = "accept", "decline"
SHOWN = 10
SPEC = CommandSpec(("doorman", "applications"), "See who asks to be let in, and accept or decline them", audience=Audience.CREATOR)
BUTTON = CommandSpec(
    ("application",), "Accept or decline somebody who asks to be let in", audience=Audience.CREATOR, kind=CommandKind.BUTTON
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show who waits, with two buttons each."""
    found = (await desk.applications.listing(call.home.community_id))[:SHOWN]
    if not found:
        return CommandReply("Nobody waits", ("Whoever asks for a plan that needs your yes shows up here, and in your notices.",))
    buttons = tuple(
        ReplyButton(f"{verb} {one.name}"[:80], action=f"application:{word} {one.id}")
        for one in found
        for verb, word in (("Accept", ACCEPT), ("Decline", DECLINE))
    )
    rows = tuple((one.name, (f"asks for {one.plan}",)) for one in found)
    return CommandReply(
        f"{counted(len(found), 'person')} wait" if len(found) > 1 else "One person waits",
        ("They pay only once you accept.",),
        buttons,
        rows,
    )


async def press(desk: Desk, call: Call) -> CommandReply:
    """Accept or decline."""
    word, _, application = required(call, "argument", "Say who: /doorman applications shows it.").partition(" ")
    if word not in {ACCEPT, DECLINE}:
        raise Refusal("application_unknown", "I don't know that button any more. /doorman applications shows who waits.")
    accept = word == ACCEPT
    one = await desk.applications.decide(call.home.community_id, application, accept=accept, actor=call.who.actor, cause=call.cause)
    if accept:
        return CommandReply(f"{one.name} is accepted", (Bold(one.name), f" may pay for {one.plan} now, and has been told."))
    return CommandReply(
        f"{one.name} is declined", (Bold(one.name), " has been told, and pays nothing. Press Accept if you change your mind.")
    )


COMMAND = Command(SPEC, run)
BUTTON_COMMAND = Command(BUTTON, press)
