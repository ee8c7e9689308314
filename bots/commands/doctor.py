from bots.commands.call import Call, Command, Desk
from core.commands import Audience, CommandReply, CommandSpec
from core.text import Text
from membership.health import Finding

SHOWN = 15
SPEC = CommandSpec(
    ("doorman", "doctor"), "See whether everything you sell can be delivered, and what to mend where it cannot", audience=Audience.CREATOR
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Look at every place of the community afresh, and at what keeps a plan from being sold."""
    found = list(await desk.health.of_community(call.home.community_id))
    sold = await desk.plans.listing(call.home.community_id)
    found += [Finding(plan.name, well=False, text=f"It is not sold: {plan.problem}") for plan in sold if plan.problem]
    wrong = [finding for finding in found if not finding.well]
    if not wrong:
        return CommandReply("All is well", ("I looked at every place and everything you sell: it can all be delivered.",), (), _rows(found))
    body = ("What is broken is not sold until it works again; then it is by itself, and whoever paid gets it at once.",)
    return CommandReply("Something needs your hand", body, (), _rows(wrong))


def _rows(found: list[Finding]) -> tuple[tuple[str, Text], ...]:
    return tuple((finding.what, (finding.text,)) for finding in found[:SHOWN])


COMMAND = Command(SPEC, run)
