from bots.commands.call import Call, Command, Desk
from bots.commands.phrases import opens, price, quoted, trial
from core.commands import CommandReply, CommandSpec, Option, ReplyButton
from core.errors import Refusal
from core.text import Code
from storage.plans import PlanView

SPEC = CommandSpec(
    ("join",), "Get your own link to become a member here", (Option("plan", "Which plan, when there are several", highest=60),)
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Make a link for the asker alone: the platform has said who they are, so they need not sign in again."""
    plans = [plan for plan in await desk.plans.listing(call.home.community_id) if plan.sellable]
    if not plans:
        raise Refusal("nothing_sold", f"{call.home.community_name} has nothing on sale right now. Ask its owner, or try again later.")
    name = call.text("plan")
    chosen = [plan for plan in plans if plan.name.casefold() == name.casefold()] if name else plans
    if len(chosen) != 1:
        return _which(plans, name)
    (plan,) = chosen
    if plan.seats_left == 0 and not await desk.waitlist.kept_for(plan.id, call.home.community_id, call.who):
        return CommandReply(
            f"{plan.name} is sold out",
            (f"All {plan.seats} seats are taken. Get in line: when it is your turn, a seat is kept for you for a day, and you are told.",),
            (ReplyButton("Get in line", action=f"wait:{plan.id}"),),
        )
    invite = await desk.invites.create(
        call.home.community_id,
        plan.id,
        max_uses=1,
        lifetime=None,
        bound=call.who,
        tag="",
        personal=True,
        actor=call.who.actor,
        cause=call.cause,
    )
    return CommandReply(
        f"Join {call.home.community_name}",
        (quoted(plan.name), f" costs {price(plan)}{trial(plan)}, and opens {opens(plan)}. The link is yours alone."),
        (ReplyButton("Go on to payment", invite.url),),
    )


def _which(plans: list[PlanView], name: str) -> CommandReply:
    missing = f"There is no plan called “{name[:60]}”. " if name else ""
    return CommandReply(
        "Which plan?",
        (f"{missing}Say which one, like ", Code(f"/join plan:{plans[0].name}"), "."),
        fields=tuple((plan.name, (f"{price(plan)}{trial(plan)}. Opens {opens(plan)}.",)) for plan in plans[:20]),
    )


COMMAND = Command(SPEC, run)
