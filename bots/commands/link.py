from bots.commands.call import Call, Command, Desk
from core.commands import CommandReply, CommandSpec, ReplyButton
from core.text import Code, Moment, MomentStyle
from membership.linking import LinkCode
from membership.standing import WayIn

SPEC = CommandSpec(("link",), "Use your membership with another account too, also on another platform")


async def run(desk: Desk, call: Call) -> CommandReply:
    """Make a code, and say the two ways to use it: on a page, or where the other account is."""
    made = await desk.linking.offer(call.home.community_id, call.who, cause=call.cause)
    status = await desk.statuses.of_member(call.home.community_id, call.who)
    return CommandReply(
        "Add another account",
        (
            "Open the page and continue with the other account; or type ",
            Code(f"/claim code:{made.code}"),
            " with it, wherever ",
            call.home.community_name,
            " is. The code works once, until ",
            Moment(made.expires_at, MomentStyle.DATE_TIME),
            ". Give it to nobody: whoever uses it shares your membership.",
        ),
        buttons(desk, made, status.ways) or (ReplyButton("Use another account", page(desk, made)),),
    )


def buttons(desk: Desk, made: LinkCode, ways: tuple[WayIn, ...]) -> tuple[ReplyButton, ...]:
    """Return a button for each platform where the member has no account yet."""
    labels = dict.fromkeys(desk.adapters[way.platform].label for way in ways if way.platform in desk.adapters)
    return tuple(ReplyButton(f"Also join on {label}", page(desk, made)) for label in labels)


def page(desk: Desk, made: LinkCode) -> str:
    """Return where a code can be used in a browser."""
    return f"{desk.public_url.rstrip('/')}/link/{made.code}"


COMMAND = Command(SPEC, run)
