from billing.coupon import CouponView
from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import counted
from core.commands import Audience, CommandReply, CommandSpec
from core.text import Code, Moment, MomentStyle, Text

SPEC = CommandSpec(("doorman", "coupon", "list"), "See your codes and how often each was used", audience=Audience.CREATOR)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show the codes that are not ended."""
    found = await desk.coupons.listing(call.home.community_id)
    if not found:
        return CommandReply("No codes yet", ("Make one with ", Code("/doorman coupon create"), "."))
    rows = tuple((one.row.code, (*terms(one), _used(one))) for one in found)
    return CommandReply(f"You have {counted(len(found), 'code')}", ("End one with ", Code("/doorman coupon end"), "."), fields=rows)


def terms(one: CouponView) -> Text:
    """Say what a code takes off, for what and how long."""
    row = one.row
    often = "one payment" if row.months is None else counted(row.months, "month") if row.months else "every payment"
    what = f" of {one.plan}" if one.plan else ""
    limit = f", {counted(row.max_uses, 'time')} in all" if row.max_uses else ""
    until: Text = (", until ", Moment(row.expires_at, MomentStyle.DATE_TIME)) if row.expires_at else ()
    return (f"{row.off} off {often}{what}{limit}", *until, ".")


def _used(one: CouponView) -> str:
    return f" Used {counted(one.uses, 'time')}." + ("" if one.works else " It works no more.")


COMMAND = Command(SPEC, run)
