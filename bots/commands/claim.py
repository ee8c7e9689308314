from bots.commands.call import Call, Command, Desk, required
from core.commands import CommandReply, CommandSpec, Option
from core.errors import Refusal
from core.text import Bold, Code
from storage.states import hashed

SPEC = CommandSpec(
    ("claim",),
    "Take up what you paid for before you came, or link this account to your membership",
    (Option("code", "The code your order's page or /link showed", required=True, lowest=1, highest=100),),
)


async def run(desk: Desk, call: Call) -> CommandReply:
    """Use the code up for the asker."""
    code = required(call, "code", "Give the code that your order's page or /link showed.").strip(" `")
    try:
        linked = await desk.linking.redeem(code, call.who, cause=call.cause, community=call.home.community_id)
    except Refusal as refusal:
        if refusal.code != "link_code_unknown":
            raise
        return await _gift(desk, call, code, refusal)
    if linked.waits_for:
        return CommandReply(
            "Your account is being changed",
            (f"@{linked.waits_for} is taken out first; then everything comes to this account. ", Code("/status"), " shows how it stands."),
        )
    return CommandReply(
        f"Welcome to {linked.community_name}",
        ("This account is part of your membership now. What you paid for is on its way; ", Code("/status"), " shows it."),
    )


async def _gift(desk: Desk, call: Call, code: str, unknown: Refusal) -> CommandReply:
    """Take a gift by its link or the code it ends in."""
    code = code.strip("<>").rstrip("/").rpartition("/")[2]
    try:
        taken = await desk.gifts.take(hashed(code), call.who, cause=call.cause)
    except Refusal as refusal:
        raise unknown if refusal.code == "gift_unknown" else refusal from None
    return CommandReply(
        f"A gift from {taken.giver}",
        (Bold(taken.plan_name), f" is yours {taken.lasts}. It is on its way; ", Code("/status"), " shows it."),
    )


COMMAND = Command(SPEC, run)
