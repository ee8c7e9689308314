from billing.plan_terms import Terms
from bots.commands.call import Call, Command, Desk, required
from bots.commands.phrases import counted, quoted
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.text import Text
from storage.plans import PlanView

SPEC = CommandSpec(
    ("doorman", "plan", "set"),
    "Set a plan's seats, its trial, and whether you accept people first",
    (
        Option("plan", "The plan's name", required=True, highest=60),
        Option("seats", "How many may have it at a time; 0 for no limit", OptionKind.INTEGER, lowest=0, highest=1_000_000),
        Option("trial_days", "Free days before the first payment; 0 for none", OptionKind.INTEGER, lowest=0, highest=365),
        Option("trial_card", "False lets people try it without a card", OptionKind.BOOLEAN),
        Option("approval", "True has everybody ask you before they may pay", OptionKind.BOOLEAN),
    ),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Change what was given, and say how the plan is sold."""
    terms = Terms(call.whole("seats"), call.whole("trial_days"), call.flag("trial_card"), call.flag("approval"))
    plan = await desk.plan_terms.change(
        call.home.community_id, required(call, "plan", "Say which plan."), terms, actor=call.who.actor, cause=call.cause
    )
    return CommandReply(f"{plan.name} is set", (quoted(plan.name), " ", *_terms(plan)))


def _terms(plan: PlanView) -> Text:
    seats = f"has {counted(plan.seats, 'seat')}, {plan.seats_left} of them free" if plan.seats else "has no limit of seats"
    card = "with a card" if plan.trial_card else "without a card"
    trial = f"One may try it for {counted(plan.trial_days, 'day')}, {card}, once." if plan.trial_days else "There is no trial."
    approval = " Whoever wants it asks you first." if plan.approval else ""
    return (f"{seats}. {trial}{approval}",)


COMMAND = Command(SPEC, run)
