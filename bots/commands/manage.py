from bots.commands.call import Call, Command, Desk
from core.commands import CommandReply, CommandSpec, ReplyButton
from core.text import Code

SPEC = CommandSpec(("manage",), "Change your card or plan, see invoices, pause or cancel")


async def run(desk: Desk, call: Call) -> CommandReply:
    """Open the customer portal, and name what can be done right here."""
    url = await portal(desk, call)
    return CommandReply(
        "Your payments",
        (
            "Change your card or download invoices on the page; the link is yours alone and works for a few minutes. Right here, ",
            Code("/change"),
            " changes your plan, ",
            Code("/pause"),
            " pauses, and ",
            Code("/cancel"),
            " cancels.",
        ),
        (ReplyButton("Open", url), ReplyButton("Cancel", action="leave:")),
    )


async def portal(desk: Desk, call: Call) -> str:
    """Return a short-lived address of the asker's portal; Refusal ``no_customer`` when they never paid here."""
    back = desk.adapters[call.request.platform].space_url(call.space)
    return await desk.checkouts.portal(call.home.community_id, call.who, back)


COMMAND = Command(SPEC, run)
