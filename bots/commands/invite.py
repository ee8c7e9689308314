from bots.commands.call import Call, Command, Desk, required
from bots.commands.lifetime import parse_lifetime
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind, ReplyButton
from core.text import Bold, Moment, MomentStyle, Text, Url
from membership.invite import InviteView

SPEC = CommandSpec(
    ("doorman", "invite"),
    "Make a paid invite link: whoever pays through it is let in",
    (
        Option("plan", "What the link sells: the plan's name", required=True, highest=60),
        Option("uses", "How many people may pay through it; no limit when left out", OptionKind.INTEGER, lowest=1, highest=100_000),
        Option("expires", "When it stops selling: 24h, 7 days, 2 weeks, 2026-12-31; never when left out", highest=40),
        Option("for", "The only person who may use it", OptionKind.USER),
        Option("tag", "Your own word for where you post it; only you see it", highest=40),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Make the link."""
    invite = await desk.invites.create(
        call.home.community_id,
        required(call, "plan", "Say which plan the link shall sell."),
        max_uses=call.whole("uses"),
        lifetime=parse_lifetime(call.text("expires"), call.request.at),
        bound=call.person("for"),
        tag=call.text("tag"),
        personal=False,
        actor=call.who.actor,
        cause=call.cause,
    )
    who = f"{invite.bound_name} alone can use it" if invite.bound_name else "Post it anywhere: whoever pays through it is let in"
    return CommandReply(
        f"A link that sells {invite.plan_name}",
        (Url(invite.url), f"\n{who}. ", *limits(invite)),
        (ReplyButton("Open the link", invite.url),),
    )


def limits(invite: InviteView) -> Text:
    """Say how often and how long a link sells."""
    often = (
        f"It has sold {invite.uses:,} of {counted(invite.max_uses, 'time')}"
        if invite.max_uses
        else f"It has sold {counted(invite.uses, 'time')}"
    )
    if invite.max_uses and not invite.uses:
        often = f"It sells {counted(invite.max_uses, 'time')}"
    elif not invite.uses:
        often = "It sells without limit"
    until: Text = (" and stops on ", Moment(invite.expires_at, MomentStyle.DATE_TIME), ".") if invite.expires_at else (".",)
    tag: Text = (" Tag: ", Bold(invite.tag)) if invite.tag else ()
    return (often, *until, *tag)


COMMAND = Command(SPEC, run)
