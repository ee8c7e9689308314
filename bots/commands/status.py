from bots.commands import link
from bots.commands.call import Call, Command, Desk
from bots.commands.manage import portal
from core.commands import CommandReply, CommandSpec, ReplyButton
from core.errors import ExternalError, Refusal
from core.text import Code, Moment, Text
from membership.status import AccountStanding, PlanStanding, ResourceStanding, Status

FAILED = "payment failed"
"""The state in which a member can still do something about it."""
SPEC = CommandSpec(("status",), "See your membership here: what you have, until when, and what is on its way")


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show how the asker stands."""
    status = await desk.statuses.of_member(call.home.community_id, call.who)
    notices = "\n".join(status.notices)
    if not status.plans:
        body: Text = ("You are not a member yet. ", Code("/join"), f" gets you your own link.\n{notices}".rstrip())
        return CommandReply(call.home.community_name, body, await _buttons(desk, call))
    return CommandReply(
        f"Your membership in {call.home.community_name}",
        (notices or "This is how it stands right now.",),
        (*await _buttons(desk, call), *await _ways(desk, call, status)),
        (*((standing.plan_name, _row(standing)) for standing in status.plans), *_accounts(desk, status)),
    )


async def _buttons(desk: Desk, call: Call) -> tuple[ReplyButton, ...]:
    """Offer the portal where there is one; the answer must not fail because it cannot be opened now."""
    try:
        return (ReplyButton("Card, invoices, cancel", await portal(desk, call)),)
    except (Refusal, ExternalError):
        return ()


async def _ways(desk: Desk, call: Call, status: Status) -> tuple[ReplyButton, ...]:
    """Offer to come in where the member has no account yet."""
    if not status.ways:
        return ()
    return link.buttons(desk, await desk.linking.offer(call.home.community_id, call.who, cause=call.cause), status.ways)


def _accounts(desk: Desk, status: Status) -> tuple[tuple[str, Text], ...]:
    """Name the accounts, when there is more to say than that the asker has the one they ask with."""
    if len(status.accounts) < 2 and not any(account.waits_for for account in status.accounts):  # noqa: PLR2004
        return ()
    return (("Your accounts", ("\n".join(_account(desk, account) for account in status.accounts),)),)


def _account(desk: Desk, account: AccountStanding) -> str:
    adapter = desk.adapters.get(account.platform)
    where = adapter.label if adapter is not None else account.platform
    waits = f", waits until @{account.waits_for} is taken out" if account.waits_for else ""
    return f"@{account.name} on {where}{waits}"


def _row(standing: PlanStanding) -> Text:
    parts: list[Text] = [(f"{standing.state.capitalize()}. You have had it since ", Moment(standing.since), ".")]
    if standing.ends_at is not None:
        unless = " unless you pay: the button below opens your payments" if standing.state == FAILED else ""
        parts.append((" It ends on ", Moment(standing.ends_at), f"{unless}."))
    elif standing.next_payment_at is not None:
        parts.append((f" Next payment of {standing.price} on ", Moment(standing.next_payment_at), "."))
    parts += [(f"\n{_resource(resource)}",) for resource in standing.resources]
    return tuple(span for part in parts for span in part)


def _resource(resource: ResourceStanding) -> str:
    return f"{resource.name}: {'on' if resource.on else resource.note or 'on its way'}"


COMMAND = Command(SPEC, run)
