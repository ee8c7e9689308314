from bots.commands.call import Call, Command, Desk
from core.commands import CommandReply, CommandSpec, ReplyButton

SPEC = CommandSpec(("manage",), "Change your card, see invoices or cancel")


async def run(desk: Desk, call: Call) -> CommandReply:
    """Open the customer portal."""
    url = await portal(desk, call)
    return CommandReply(
        "Your payments",
        ("Change your card, download invoices or cancel. The link is yours alone and works for a few minutes.",),
        (ReplyButton("Open", url),),
    )


async def portal(desk: Desk, call: Call) -> str:
    """Return a short-lived address of the asker's portal; Refusal ``no_customer`` when they never paid here."""
    back = desk.adapters[call.request.platform].space_url(call.space)
    return await desk.checkouts.portal(call.home.community_id, call.who, back)


COMMAND = Command(SPEC, run)
