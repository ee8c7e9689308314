from urllib.parse import urlsplit

from bots.commands.call import Call, Command, Desk, required
from core.commands import Audience, CommandReply, CommandSpec, Option
from core.text import Code

SPEC = CommandSpec(
    ("doorman", "link", "revoke"),
    "Withdraw a paid invite link; whoever paid through it keeps what they have",
    (Option("link", "The link, or the code it ends in", required=True, highest=300),),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Withdraw the link."""
    code = code_of(required(call, "link", "Paste the link to withdraw."))
    invite = await desk.invites.revoke(call.home.community_id, code, actor=call.who.actor, cause=call.cause)
    return CommandReply(
        "The link is withdrawn",
        (
            f"It sells {invite.plan_name} to nobody from now on. Whoever paid through it stays. ",
            Code("/doorman invite"),
            " makes a new one.",
        ),
    )


def code_of(text: str) -> str:
    """Return the code in what was pasted: a whole link, with or without what programs add to it, or the code alone."""
    return urlsplit(text.strip("<>")).path.rstrip("/").rsplit("/", 1)[-1]


COMMAND = Command(SPEC, run)
