"""Who may buy what now: the questions asked before a checkout is opened."""

from dataclasses import dataclass

from core.errors import Refusal
from core.ids import CommunityId
from core.payments import Interval, IntervalUnit
from core.people import GUEST, Identity
from storage import accounts, entitlements, invites, linking, orders, plans, subscriptions
from storage.accounts import AccountRow
from storage.database import Session
from storage.invites import InviteFacts
from storage.plans import PlanView
from storage.subscriptions import SubscriptionRow

ALREADY = "already_member"


def extends(interval: Interval) -> bool:
    """Whether buying again adds time to what one has, instead of being a double."""
    return interval.unit is IntervalUnit.DAYS


def check_bound(facts: InviteFacts, who: Identity) -> None:
    """Refuse somebody else's link: ``invite_not_yours``."""
    invite = facts.invite
    bound = (invite.bound_platform, invite.bound_realm, invite.bound_user)
    if invite.bound_user is not None and bound != (who.platform, who.realm, who.user):
        raise Refusal("invite_not_yours", f"This link is for @{invite.bound_name} alone. Ask in {facts.link.community_name} for your own.")


async def check_place(session: Session, facts: InviteFacts, who: Identity) -> None:
    """Refuse an account nobody could let in here: ``account_elsewhere``. A guest shows theirs later."""
    community = facts.invite.community_id
    if who.platform != GUEST and not await linking.is_here(session, community, who.platform, who.realm):
        raise Refusal(
            "account_elsewhere",
            f"@{who.name} is an account of a place that does not belong to {facts.link.community_name}. Nothing was charged. "
            "Go back and continue with the account you use there.",
        )


async def check_not_member(session: Session, account: AccountRow, plan: PlanView, interval: Interval) -> None:
    """Refuse to sell a double: ``on_hold``, ``already_member``, ``payment_waiting``, ``payment_pending``."""
    if await entitlements.on_hold(session, account.community_id, account.member_id, plan.id):
        raise Refusal("on_hold", f"Your “{plan.name}” is on hold: a bank was asked to take back a payment for it. Nothing was charged now.")
    if not extends(interval) and await entitlements.live(session, account.community_id, account.member_id, plan.id):
        raise Refusal(ALREADY, f"You have “{plan.name}” already. Nothing was charged.")
    if (held := await subscriptions.waiting(session, account.member_id, plan.id)) is not None:
        raise Refusal("payment_waiting", _lives_on(held, plan.name))
    if await orders.pending(session, account.member_id, plan.id):
        raise Refusal("payment_pending", f"Your payment for “{plan.name}” is on its way. You are let in as soon as it arrives.")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What somebody may buy now, and what of theirs is under way or lives on without opening anything: a plan's name and a sentence."""

    may_buy: tuple[PlanView, ...]
    waiting: tuple[tuple[str, str], ...]


async def outlook(session: Session, community: CommunityId, who: Identity) -> Outlook:
    """Ask of every plan of a community, archived ones too, what a checkout would ask."""
    account = await accounts.find(session, community, who)
    may_buy, waiting = [], []
    for row in await invites.plans_of(session, community):
        plan = await plans.view(session, row)
        try:
            if account is not None:
                await check_not_member(session, account, plan, plan.interval)
        except Refusal as refusal:
            if refusal.code != ALREADY:
                waiting.append((plan.name, refusal.message))
            continue
        if plan.sellable:
            may_buy.append(plan)
    return Outlook(tuple(may_buy), tuple(waiting))


async def check_places(session: Session, facts: InviteFacts, account: AccountRow) -> None:
    """Refuse a link whose last place somebody else is paying for: ``invite_used_up``."""
    if facts.invite.max_uses is None:
        return
    taken = facts.invite.uses + await orders.open_through(session, facts.invite.id, besides=account.id)
    if taken >= facts.invite.max_uses:
        raise Refusal(
            "invite_used_up", "Somebody is just paying through this link for the last place. Try again in an hour, or ask for a new link."
        )


def _lives_on(held: SubscriptionRow, plan: str) -> str:
    if held.status in {"past_due", "unpaid", "paused"}:
        return f"Your “{plan}” is waiting for a payment. /manage is where you put your card right; don't pay twice."
    if held.cancel_at is not None:
        return f"Your subscription to “{plan}” runs until {held.cancel_at:%d %B %Y}. Join again then, or turn it back on with /manage."
    return f"Your subscription to “{plan}” still renews, and opens it again with its next payment. /manage is where you end it."
