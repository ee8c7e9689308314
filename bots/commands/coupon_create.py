import re

from billing.coupon import NewCoupon
from bots.commands.call import Call, Command, Desk, required
from bots.commands.coupon_list import terms
from bots.commands.lifetime import parse_lifetime
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.errors import Refusal
from core.money import Money, parse_money
from core.text import Code

_PERCENT = re.compile(r"(\d{1,3}) ?(?:%|percent)")
SPEC = CommandSpec(
    ("doorman", "coupon", "create"),
    "Make a code that takes something off at the checkout",
    (
        Option("code", "What people type, like SPRING-25", required=True, lowest=3, highest=40),
        Option("off", "What it takes off: 20% or 5 USD", required=True, highest=30),
        Option("months", "For how many months; 0 for always; one payment when left out", OptionKind.INTEGER, lowest=0, highest=36),
        Option("uses", "How often it may be used; no limit when left out", OptionKind.INTEGER, lowest=1, highest=100_000),
        Option("expires", "When it stops working: 7 days, 2026-12-31; never when left out", highest=40),
        Option("plan", "The one plan it is for; all you sell now when left out", highest=60),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Make the code."""
    percent, amount = _off(required(call, "off", "Say what it takes off, like 20% or 5 USD."), call.home.currency)
    made = await desk.coupons.create(
        call.home.community_id,
        NewCoupon(
            code=required(call, "code", "Say what people shall type, like SPRING-25."),
            percent=percent,
            amount=amount,
            months=call.whole("months"),
            max_uses=call.whole("uses"),
            lifetime=parse_lifetime(call.text("expires"), call.request.at),
            plan=call.text("plan"),
        ),
        actor=call.who.actor,
        cause=call.cause,
    )
    return CommandReply(
        f"{made.row.code} takes {made.row.off} off",
        (
            *terms(made),
            " People type it on the payment page. ",
            Code("/doorman coupon list"),
            " shows how often it was used.",
        ),
    )


def _off(text: str, currency: str) -> tuple[int | None, Money | None]:
    percent = _PERCENT.fullmatch(text.strip())
    if percent is None:
        return None, parse_money(text, currency)
    if not 1 <= int(percent[1]) <= 100:  # noqa: PLR2004 - percent
        raise Refusal("bad_off", "Say what it takes off, like 20% or 5 USD.")
    return int(percent[1]), None


COMMAND = Command(SPEC, run)
