"""How somebody stands: for /status and for the welcome page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.errors import Refusal
from core.ids import CommunityId, MemberId, OrderId, PlatformName
from core.money import Money
from core.people import GUEST, Identity
from membership.standing import ResourceStanding, WayIn, standing_of, undelivered, ways_in
from membership.welcome import Welcome, welcome_of
from storage import account_changes, accounts, grants, standing
from storage.accounts import AccountRow
from storage.database import Database, Session
from storage.entitlements import EntitlementState
from storage.grants import GrantTask
from storage.standing import Standing

ON_HOLD = "on hold"
"""The state of what a bank was asked to take the payment of back."""


@dataclass(frozen=True, slots=True)
class PlanStanding:
    """One plan a member has or had."""

    plan_name: str
    since: datetime
    state: str
    """For people: active, trial, payment failed, cancelled, paused, for life, on hold."""
    next_payment_at: datetime | None
    ends_at: datetime | None
    price: Money
    resources: tuple[ResourceStanding, ...]


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """One account of a member. ``waits_for`` names the account that is taken out first; empty when it is in its place."""

    platform: PlatformName
    name: str
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything about one person in one community."""

    plans: tuple[PlanStanding, ...]
    notices: tuple[str, ...]
    accounts: tuple[AccountStanding, ...] = ()
    ways: tuple[WayIn, ...] = ()


class Statuses:
    """Reads how people stand; writes nothing."""

    def __init__(self, *, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def of_member(self, community: CommunityId, who: Identity) -> Status:
        """Return how somebody stands; empty for a stranger."""
        async with self._db.reading() as session:
            account = await accounts.find(session, community, who)
            if account is None:
                return Status((), ())
            held = await grants.of_member(session, account.member_id)
            found = await standing.of_member(session, community, account.member_id)
            told = await undelivered(session, community, account.member_id)
            plans = tuple([_plan(one, held) for one in found])
            return Status(plans, told, await _accounts(session, account.member_id), await ways_in(session, community, account.member_id))

    async def of_order(self, order: OrderId) -> Welcome:
        """Return how an order stands. Refusal ``order_unknown``."""
        async with self._db.reading() as session:
            facts = await standing.of_order(session, order)
            if facts is None:
                raise Refusal("order_unknown", "There is no such order. Check the address, or open your link again.")
            member, community = facts.order.member_id, facts.order.community_id
            held = [task for task in await grants.of_member(session, member) if task.resource_row.id in facts.resources]
            told = await undelivered(session, community, member)
            account = await session.get_one(AccountRow, facts.order.account_id)
            ways = await ways_in(session, community, member, facts.resources)
            return welcome_of(facts, [task for task in held if task.account.active], told, account.identity, ways)


async def _accounts(session: Session, member: MemberId) -> tuple[AccountStanding, ...]:
    found = [AccountStanding(row.platform, row.name) for row in await accounts.active_of_member(session, member) if row.platform != GUEST]
    for change in await account_changes.under_way(session, member):
        old, new = await session.get_one(AccountRow, change.old_id), await session.get_one(AccountRow, change.new_id)
        found.append(AccountStanding(new.platform, new.name, old.name))
    return tuple(found)


def _plan(one: Standing, held: Sequence[GrantTask]) -> PlanStanding:
    resources = tuple(standing_of(task) for task in held if task.resource_row.id in one.resources and task.grant.wanted)
    state, next_payment, ends = _when(one)
    return PlanStanding(one.plan.name, one.entitlement.starts_at, state, next_payment, ends, one.price.money, resources)


def _when(one: Standing) -> tuple[str, datetime | None, datetime | None]:
    """Return the state in a word or two, the next payment and the end."""
    subscription = one.subscription
    if one.entitlement.state == EntitlementState.SUSPENDED:
        return ON_HOLD, None, None
    if subscription is None:
        ends = one.entitlement.expires_at
        return ("active", None, ends) if ends else ("for life", None, None)
    if subscription.status == "past_due":
        return "payment failed", None, one.entitlement.expires_at
    if subscription.cancel_at is not None:
        return "cancelled", None, subscription.cancel_at
    if subscription.paused_until is not None:
        return "paused", subscription.paused_until, subscription.paid_until
    return ("trial" if subscription.status == "trialing" and not one.given else "active"), subscription.period_end, None
