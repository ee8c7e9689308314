from bots.commands.call import Call, Command, Desk
from core.commands import Audience, CommandReply, CommandSpec, Option, OptionKind
from core.errors import Refusal
from core.text import Code
from membership.linking import PERMIT_LIFE

SPEC = CommandSpec(
    ("doorman", "account"),
    "Let a member change to another account once more, sooner than they may",
    (Option("who", "The member, by the account they have now", OptionKind.USER, required=True),),
    Audience.CREATOR,
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Allow one change."""
    who = call.person("who")
    if who is None:
        raise Refusal("missing_option", "Say whom it is for.")
    await desk.linking.allow_change(call.home.community_id, who, actor=call.who.actor, cause=call.cause)
    return CommandReply(
        "They may change their account",
        (
            f"@{who.name} may change to another account once within {PERMIT_LIFE.days} days. Have them type ",
            Code("/link"),
            ", and continue with the new one.",
        ),
    )


COMMAND = Command(SPEC, run)
