from bots.commands.call import Call, Command, Desk
from bots.commands.invite import limits
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec
from core.text import Code, Text, Url
from membership.invite import InviteView

SHOWN = 20
SPEC = CommandSpec(("doorman", "link", "list"), "See your paid invite links and what each has sold", audience=Audience.CREATOR)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show the links, as the use case orders them."""
    links = await desk.invites.listing(call.home.community_id)
    if not links:
        return CommandReply("No links yet", ("Make one with ", Code("/doorman invite"), "."))
    more = f" The first {SHOWN} are shown." if len(links) > SHOWN else ""
    return CommandReply(
        f"You have {counted(len(links), 'link')}",
        ("Withdraw one with ", Code("/doorman link revoke"), f".{more}"),
        fields=tuple((_heading(link), _row(link)) for link in links[:SHOWN]),
    )


def _heading(link: InviteView) -> str:
    whom = f" for {link.bound_name}" if link.bound_name else ""
    return f"{link.plan_name}{whom}"


def _row(link: InviteView) -> Text:
    state = "" if link.usable else (" Withdrawn." if link.revoked else " No longer sells.")
    return (Url(link.url), "\n", *limits(link), state)


COMMAND = Command(SPEC, run)
