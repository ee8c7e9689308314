from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind, ReplyButton
from core.errors import PermanentError, Refusal
from core.platform import Channel, Installing, Message
from core.text import Code, Moment, MomentStyle, Text
from membership.attachment import AttachCode
from membership.community import Home

SPEC = CommandSpec(
    ("doorman", "setup"),
    "Set where I post notices, your currency and how long a failed payment is forgiven",
    (
        Option("channel", "Where I tell you what you should know; without one I message you directly", OptionKind.CHANNEL),
        Option("currency", "Currency of your prices and tips, like USD or EUR", lowest=3, highest=3),
        Option("grace_days", "Days a member keeps access after a payment failed", OptionKind.INTEGER, lowest=0, highest=21),
        Option("keep_refunded", "True to let members keep what you refund in full until its time is over", OptionKind.BOOLEAN),
        Option("invite_link", "Your own link for new members, where I can bring nobody in; “none” takes it away", highest=500),
        Option("attach", "True for a code that makes another place part of this community", OptionKind.BOOLEAN),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Change what was given, and say how everything stands."""
    channel = call.text("channel")
    if channel:
        await _try(desk, call, channel)
    if link := call.text("invite_link"):
        await desk.space_links.give(call.home.community_id, call.home.space_id, link, actor=call.who.actor, cause=call.cause)
    home = await desk.communities.setup(
        call.home.community_id,
        space=call.home.space_id,
        notice_channel=channel or None,
        currency=call.text("currency").upper() or None,
        grace_days=call.whole("grace_days"),
        keep_refunded=call.flag("keep_refunded"),
        actor=call.who.actor,
        cause=call.cause,
    )
    made = (
        await desk.attachments.code(home.community_id, call.space, actor=call.who.actor, cause=call.cause) if call.yes("attach") else None
    )
    return _reply(desk, call, home, made)


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


def _reply(desk: Desk, call: Call, home: Home, made: AttachCode | None) -> CommandReply:
    grace = desk.grace_days if home.grace_days is None else home.grace_days
    chosen = call.request.labels.get(home.notice_channel, "the channel you chose")
    where = chosen if home.notice_channel else "direct message to whoever added me"
    fields: tuple[tuple[str, Text], ...] = (
        ("Notices", (where,)),
        ("Currency", (home.currency,)),
        ("After a failed payment", (f"access for {counted(grace, 'day')}" if grace else "access ends at once",)),
        ("After a refund in full", ("access until its time is over" if home.keep_refunded else "access ends at once",)),
    )
    buttons = _install_buttons(desk, made) if made is not None else ()
    if made is not None:
        fields += (("Another place", _how_to_attach(made, pages=bool(buttons))),)
    return CommandReply(
        f"{home.community_name} is set up",
        ("Next: ", Code("/doorman plan create"), " makes something to sell, ", Code("/doorman invite"), " makes a link that sells it."),
        buttons,
        fields,
    )


def _how_to_attach(made: AttachCode, *, pages: bool) -> Text:
    return (
        "Add me there and give ",
        Code(f"/doorman attach code:{made.code}"),
        ", or press a button below, which does both. The code works once, until " if pages else " there. The code works once, until ",
        Moment(made.expires_at, MomentStyle.DATE_TIME),
        "; whoever uses it may then manage this community too.",
    )


def _install_buttons(desk: Desk, made: AttachCode) -> tuple[ReplyButton, ...]:
    """Link to being let in, for each platform where that happens on a page."""
    return tuple(
        ReplyButton(f"Add {adapter.label}", f"{desk.public_url.rstrip('/')}/{name}/install?attach={made.code}")
        for name, adapter in desk.adapters.items()
        if isinstance(adapter, Installing)
    )


COMMAND = Command(SPEC, run)
