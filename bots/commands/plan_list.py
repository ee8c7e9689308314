from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import counted, opens, price, trial
from core.commands import Audience, CommandReply, CommandSpec
from core.text import Code, Text
from storage.plans import PlanView

SHOWN = 20
"""Rows a platform is sure to take."""
SPEC = CommandSpec(
    ("doorman", "plan", "list"), "See what you sell, to how many, and what keeps a plan from being sold", audience=Audience.CREATOR
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show every plan that is not archived."""
    plans = await desk.plans.listing(call.home.community_id)
    if not plans:
        return CommandReply("No plans yet", ("Make one with ", Code("/doorman plan create"), "."))
    more = f" The oldest {SHOWN} are shown." if len(plans) > SHOWN else ""
    return CommandReply(
        f"You sell {counted(len(plans), 'plan')}",
        (f"A plan with a problem is not sold until it is mended; who has it keeps it.{more}",),
        fields=tuple((plan.name, _row(plan)) for plan in plans[:SHOWN]),
    )


def _row(plan: PlanView) -> Text:
    seats = f", {counted(plan.seats_left or 0, 'seat')} of {plan.seats:,} free" if plan.seats else ""
    asked = " Whoever wants it asks you first." if plan.approval else ""
    what = f"{price(plan)}{trial(plan)}. Opens {opens(plan)}. {counted(plan.members, 'member')}{seats}.{asked}"
    return (what,) if plan.sellable else (what, f" Not sold: {plan.problem or 'it is still being made.'}")


COMMAND = Command(SPEC, run)
