from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.errors import PermanentError, Refusal
from core.platform import Channel, Message
from core.text import Code, Text
from membership.community import Home

SPEC = CommandSpec(
    ("doorman", "setup"),
    "Set where I post notices, your currency and how long a failed payment is forgiven",
    (
        Option("channel", "Where I tell you what you should know; without one I message you directly", OptionKind.CHANNEL),
        Option("currency", "Currency of your prices and tips, like USD or EUR", lowest=3, highest=3),
        Option("grace_days", "Days a member keeps access after a payment failed", OptionKind.INTEGER, lowest=0, highest=30),
        Option("another", "Get a code that adds another space to this community", OptionKind.BOOLEAN),
        Option("code", "A code from your other space: adds this one to that community", highest=64),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Change what was given, and say how everything stands."""
    code = call.text("code")
    home = await desk.communities.attach(code, call.space, actor=call.who.actor, cause=call.cause) if code else call.home
    channel = call.text("channel")
    if channel:
        await _try(desk, call, channel)
    home = await desk.communities.setup(
        home.community_id,
        space=home.space_id,
        notice_channel=channel or None,
        currency=call.text("currency").upper() or None,
        grace_days=call.whole("grace_days"),
        actor=call.who.actor,
        cause=call.cause,
    )
    issued = await desk.communities.attach_code(home.community_id, actor=call.who.actor, cause=call.cause) if call.yes("another") else ""
    return _reply(desk, call, home, issued)


async def _try(desk: Desk, call: Call, channel: str) -> None:
    """Find out now whether we can post there, not when something has to be told."""
    words = Message("Notices go here", ("I will tell you here when something needs your attention.",))
    try:
        await desk.adapters[call.request.platform].send(Channel(call.space, channel), words)
    except PermanentError as error:
        name = call.label(channel)
        raise Refusal(
            "channel_closed",
            f"I can't post in {name}. Let me view it and send messages there, or pick another channel. Nothing was changed.",
        ) from error


def _reply(desk: Desk, call: Call, home: Home, issued: str) -> CommandReply:
    grace = desk.grace_days if home.grace_days is None else home.grace_days
    where: Text = (call.label(home.notice_channel),) if home.notice_channel else ("direct message to whoever added me",)
    fields: list[tuple[str, Text]] = [
        ("Notices", where),
        ("Currency", (home.currency,)),
        ("After a failed payment", (f"access for {counted(grace, 'day')}" if grace else "access ends at once",)),
    ]
    if issued:
        fields.append(("Add another space", ("Add me there, then type there: ", Code(f"/doorman setup code:{issued}"), ". It works once.")))
    return CommandReply(
        f"{home.community_name} is set up",
        ("Next: ", Code("/doorman plan create"), " makes something to sell, ", Code("/doorman invite"), " makes a link that sells it."),
        fields=tuple(fields),
    )


COMMAND = Command(SPEC, run)
