from billing.moving import Became, Moved
from billing.moving import Option as Way
from billing.plan import parse_interval
from bots.commands.call import Call, Command, Desk, required
from core.commands import Audience, CommandKind, CommandReply, CommandSpec, Option, OptionKind, ReplyButton
from core.errors import Refusal
from core.ids import PriceId
from core.text import Bold, Code, Moment, Text

SHOWN = 10
SPEC = CommandSpec(
    ("doorman", "move"),
    "Change what a member subscribes to: dearer once they have paid, cheaper with the next period",
    (
        Option("who", "The member", OptionKind.USER, required=True),
        Option("plan", "The plan they shall have", required=True, highest=60),
        Option("interval", "Which of its prices, when there are several: month or year", highest=30),
    ),
    Audience.CREATOR,
)
_HOW = (
    "What costs more, or is paid further ahead, is yours once the difference is paid. What costs less begins when what you paid for ends. "
    "Nothing else is charged."
)
CHANGE = CommandSpec(("change",), "Change to another plan, or to paying by the month or year")
BUTTON = CommandSpec(("move",), "Change to what the button says", kind=CommandKind.BUTTON)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Move somebody, for the creator."""
    who = call.person("who")
    if who is None:
        raise Refusal("missing_option", "Say whom it is about.")
    name = required(call, "plan", "Say which plan they shall have.")
    ways = [way for way in await desk.moves.options(call.home.community_id, who) if way.plan.casefold() == name.casefold()]
    if call.text("interval"):
        ways = [way for way in ways if way.price.interval == parse_interval(call.text("interval"))]
    if not ways:
        raise Refusal("price_unknown", f"@{who.name} can't be moved to “{name[:60]}”. /doorman plan list shows what is sold, and at what.")
    if len(ways) > 1:
        costs = " or ".join(str(way.price.interval) for way in ways)
        raise Refusal("which_price", f"“{ways[0].plan}” has several prices. Say which with interval: {costs}.")
    moved = await desk.moves.move(call.home.community_id, who, ways[0].price.id, actor=call.who.actor, cause=call.cause)
    return CommandReply(f"@{who.name} and {moved.plan}", _became(moved, f"@{who.name}"), _pay(moved))


async def change(desk: Desk, call: Call) -> CommandReply:
    """Show what the asker's subscription may change to."""
    ways = await desk.moves.options(call.home.community_id, call.who)
    if not ways:
        return CommandReply(
            "Nothing to change to", ("What you have is all that is sold here right now. ", Code("/manage"), " pauses or cancels.")
        )
    return CommandReply(
        "Change to what?",
        (_HOW,),
        tuple(ReplyButton(_label(way), action=f"move:{way.price.id}") for way in ways[:SHOWN]),
        tuple((way.plan, (f"{way.price}{', with your next period' if way.later else ''}",)) for way in ways[:SHOWN]),
    )


async def press(desk: Desk, call: Call) -> CommandReply:
    """Change the asker's subscription to what they pressed."""
    price = PriceId(required(call, "argument", "Say what to change to: /change shows it."))
    moved = await desk.moves.move(call.home.community_id, call.who, price, actor=call.who.actor, cause=call.cause)
    return CommandReply(f"{moved.plan}, {moved.price}", _became(moved, "You"), _pay(moved))


def _label(way: Way) -> str:
    return f"{way.plan}, {way.price}"[:80]


def _became(moved: Moved, who: str) -> Text:
    has = "have" if who == "You" else "has"
    match moved.became:
        case Became.DONE:
            return (f"{who} {has} ", Bold(moved.plan), " now. What was paid before is taken into account.")
        case Became.UNPAID:
            return ("The payment did not go through, so nothing has changed. Pay with the button, and it does at once.",)
        case _:
            return (f"{who} {has} what was paid for until ", Moment(moved.at), ", then ", Bold(moved.plan), f" for {moved.price}.")


def _pay(moved: Moved) -> tuple[ReplyButton, ...]:
    return (ReplyButton("Pay the difference", moved.pay_url),) if moved.pay_url else ()


COMMAND = Command(SPEC, run)
CHANGE_COMMAND = Command(CHANGE, change)
BUTTON_COMMAND = Command(BUTTON, press)
