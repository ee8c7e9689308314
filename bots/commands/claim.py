from bots.commands.call import Call, Command, Desk, required
from core.commands import CommandReply, CommandSpec, Option
from core.text import Code

SPEC = CommandSpec(
    ("claim",),
    "Take up what you paid for before you came, or link this account to your membership",
    (Option("code", "The code your order's page or /link showed", required=True, lowest=1, highest=100),),
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Use the code up for the asker."""
    code = required(call, "code", "Give the code that your order's page or /link showed.").strip(" `")
    linked = await desk.linking.redeem(code, call.who, cause=call.cause, community=call.home.community_id)
    if linked.waits_for:
        return CommandReply(
            "Your account is being changed",
            (f"@{linked.waits_for} is taken out first; then everything comes to this account. ", Code("/status"), " shows how it stands."),
        )
    return CommandReply(
        f"Welcome to {linked.community_name}",
        ("This account is part of your membership now. What you paid for is on its way; ", Code("/status"), " shows it."),
    )


COMMAND = Command(SPEC, run)
