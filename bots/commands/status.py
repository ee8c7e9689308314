from billing.eligibility import Outlook
from bots.commands import link
from bots.commands.call import Call, Command, Desk
from bots.commands.manage import portal
from core.commands import CommandReply, CommandSpec, ReplyButton
from core.errors import ExternalError, Refusal
from core.ids import PlatformName
from core.text import Code, Moment, Text
from membership.standing import ResourceStanding
from membership.status import ON_HOLD, AccountStanding, PlanStanding, Status

MOST_BUTTONS, LONGEST_LABEL = 3, 80
"""Buttons of a kind, and letters on one; /join lists every plan."""
FAILED = "payment failed"
"""The state in which a member can still do something about it."""
SPEC = CommandSpec(("status",), "See your membership here: what you have, until when, and what is on its way")


async def run(desk: Desk, call: Call) -> CommandReply:
    """Show how the asker stands."""
    status = await desk.statuses.of_member(call.home.community_id, call.who)
    outlook = await desk.checkouts.outlook(call.home.community_id, call.who)
    buttons = (*_doors(desk, status), *await _links(desk, call, outlook), *await _portal(desk, call))
    notices = "\n".join(status.notices)
    if not status.plans and not outlook.waiting:
        return CommandReply(call.home.community_name, _not_yet(outlook, notices), buttons)
    shown = {standing.plan_name for standing in status.plans}
    waiting: tuple[tuple[str, Text], ...] = tuple((name, (sentence,)) for name, sentence in outlook.waiting if name not in shown)
    return CommandReply(
        f"Your membership in {call.home.community_name}",
        (notices or "This is how it stands right now.",),
        (*buttons, *await _ways(desk, call, status)),
        (*waiting, *((standing.plan_name, _row(standing)) for standing in status.plans), *_accounts(desk, status)),
    )


def _not_yet(outlook: Outlook, notices: str) -> Text:
    if not outlook.may_buy:
        return (f"You are not a member yet, and nothing is on sale right now. Ask the owner, or try again later.\n{notices}".rstrip(),)
    return ("You are not a member yet. ", Code("/join"), f" gets you your own link.\n{notices}".rstrip())


def _doors(desk: Desk, status: Status) -> tuple[ReplyButton, ...]:
    """Offer the way in to whoever paid and is still outside: their invite, or the space itself."""
    found: dict[str, ReplyButton] = {}
    for resource in (resource for plan in status.plans for resource in plan.resources):
        adapter = desk.adapters.get(PlatformName(resource.platform))
        if resource.outside is not None and adapter is not None:
            url = resource.invite_url or adapter.space_url(resource.outside)
            found.setdefault(url, ReplyButton(f"Go to {resource.space_name}"[:LONGEST_LABEL], url))
    return tuple(found.values())[:MOST_BUTTONS]


async def _links(desk: Desk, call: Call, outlook: Outlook) -> tuple[ReplyButton, ...]:
    """Offer the asker's own link to each plan they may buy."""
    links = []
    for plan in outlook.may_buy[:MOST_BUTTONS]:
        invite = await desk.invites.own(call.home.community_id, plan.id, call.who)
        links.append(ReplyButton(f"Get {plan.name}", invite.url))
    return tuple(links)


async def _portal(desk: Desk, call: Call) -> tuple[ReplyButton, ...]:
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
    if standing.state == ON_HOLD:
        return ("On hold: a bank was asked to take back a payment for it. Once the payment stands, you are back in by yourself.",)
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
