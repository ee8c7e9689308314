"""How somebody stands: for /status and for the welcome page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.errors import Refusal, Remedy
from core.events import Notice
from core.ids import CommunityId, MemberId, OrderId, PlatformName, ResourceId
from core.money import Money
from core.people import GUEST, Identity
from core.platform import Space
from core.text import plain
from membership.wording import to_member
from storage import account_changes, accounts, grants, notices, space_links, standing
from storage.accounts import AccountRow
from storage.database import Database, Session
from storage.grants import Actual, GrantStatus, GrantTask
from storage.orders import OrderStatus
from storage.standing import OrderFacts, Standing


@dataclass(frozen=True, slots=True)
class ResourceStanding:
    """One thing a plan opens, and whether it is on. ``note`` says why not, and who does what."""

    name: str
    platform: str
    space_name: str
    on: bool
    note: str
    outside: Space | None = None
    """Where they are to come in; None when that is not what is missing."""
    invite_url: str = ""
    """The invite that waits for them there, if one does."""


@dataclass(frozen=True, slots=True)
class PlanStanding:
    """One plan a member has or had."""

    plan_name: str
    since: datetime
    state: str
    """For people: active, trial, payment failed, ends, for life, ended."""
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
class WayIn:
    """A space where a member has no account yet, and the creator's own link into it; empty when they gave none."""

    platform: PlatformName
    space_name: str
    invite_link: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything about one person in one community."""

    plans: tuple[PlanStanding, ...]
    notices: tuple[str, ...]
    accounts: tuple[AccountStanding, ...] = ()
    ways: tuple[WayIn, ...] = ()


@dataclass(frozen=True, slots=True)
class Welcome:
    """An order for its welcome page."""

    community_name: str
    plan_name: str
    state: str
    """open, pending, paid, ended, failed, expired."""
    paid: bool
    inside: bool
    invite_url: str
    spaces: tuple[tuple[PlatformName, Space], ...]
    waiting: str
    notices: tuple[str, ...]
    checkout_url: str
    invite_code: str
    payer: Identity
    """Whose order it is: whoever is proven to be them may go on from here."""
    ways: tuple[WayIn, ...]


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
            told = await _undelivered(session, community, account.member_id)
            plans = tuple([_plan(one, held) for one in found])
            return Status(plans, told, await _accounts(session, account.member_id), await _ways(session, community, account.member_id))

    async def of_order(self, order: OrderId) -> Welcome:
        """Return how an order stands. Refusal ``order_unknown``."""
        async with self._db.reading() as session:
            facts = await standing.of_order(session, order)
            if facts is None:
                raise Refusal("order_unknown", "There is no such order. Check the address, or open your link again.")
            member, community = facts.order.member_id, facts.order.community_id
            held = [task for task in await grants.of_member(session, member) if task.resource_row.id in facts.resources]
            told = await _undelivered(session, community, member)
            account = await session.get_one(AccountRow, facts.order.account_id)
            ways = await _ways(session, community, member, facts.resources)
            return _welcome(facts, [task for task in held if task.account.active], told, account.identity, ways)


async def _accounts(session: Session, member: MemberId) -> tuple[AccountStanding, ...]:
    found = [AccountStanding(row.platform, row.name) for row in await accounts.active_of_member(session, member) if row.platform != GUEST]
    for change in await account_changes.under_way(session, member):
        old, new = await session.get_one(AccountRow, change.old_id), await session.get_one(AccountRow, change.new_id)
        found.append(AccountStanding(new.platform, new.name, old.name))
    return tuple(found)


async def _ways(
    session: Session, community: CommunityId, member: MemberId, opened: Collection[ResourceId] | None = None
) -> tuple[WayIn, ...]:
    """Return where a member has no account: of all spaces, or of those where one of ``opened`` is."""
    found = await space_links.without_account(session, community, member, opened)
    return tuple(WayIn(space.platform, space.name, space.invite_link) for space in found)


async def _undelivered(session: Session, community: CommunityId, member: MemberId) -> tuple[str, ...]:
    rows = await notices.undelivered(session, community, member)
    name = (await notices.community(session, community)).name
    messages = [to_member(Notice.from_payload(row.payload), name) for row in rows]
    return tuple(f"{message.title}. {plain(message.body)}" for message in messages)


def _plan(one: Standing, held: Sequence[GrantTask]) -> PlanStanding:
    resources = tuple(_resource(task) for task in held if task.resource_row.id in one.resources and task.grant.wanted)
    state, next_payment, ends = _when(one)
    return PlanStanding(one.plan.name, one.entitlement.starts_at, state, next_payment, ends, one.price.money, resources)


def _when(one: Standing) -> tuple[str, datetime | None, datetime | None]:
    """Return the state in a word or two, the next payment and the end."""
    subscription = one.subscription
    if subscription is None:
        ends = one.entitlement.expires_at
        return ("active", None, ends) if ends else ("for life", None, None)
    if subscription.status == "past_due":
        return "payment failed", None, one.entitlement.expires_at
    if subscription.cancel_at is not None:
        return "cancelled", None, subscription.cancel_at
    if subscription.paused_until is not None:
        return "paused", subscription.paused_until, subscription.paid_until
    return ("trial" if subscription.status == "trialing" else "active"), subscription.period_end, None


def _resource(task: GrantTask) -> ResourceStanding:
    on = task.grant.actual == Actual.GRANTED and task.grant.status == GrantStatus.DONE
    space, name = task.space_row, task.resource_row.name
    if on:
        return ResourceStanding(name, space.platform, space.name, on, "")
    waits = task.grant.status == GrantStatus.BLOCKED and task.grant.remedy == Remedy.MEMBER
    invite = task.grant.door
    return ResourceStanding(name, space.platform, space.name, on, _note(task), space.space if waits or invite else None, invite)


def _note(task: GrantTask) -> str:
    """Say why it is not on, and who does what about it."""
    grant = task.grant
    if grant.status == GrantStatus.PENDING:
        return "on its way" if not grant.error else "on its way, and we keep trying"
    if grant.remedy == Remedy.MEMBER:
        return f"waits for you to join {task.space_row.name}"
    if grant.remedy == Remedy.CREATOR:
        return "waits for the owner, who has been told what to mend"
    return "waits for us: please tell the owner"


def _welcome(facts: OrderFacts, held: Sequence[GrantTask], told: tuple[str, ...], payer: Identity, ways: tuple[WayIn, ...]) -> Welcome:
    wanted = [task for task in held if task.grant.wanted]
    on = [task for task in wanted if _resource(task).on]
    waiting = next((f"{task.resource_row.name}: {_note(task)}." for task in wanted if task not in on), "")
    paid = facts.order.status == OrderStatus.PAID or bool(on)
    return Welcome(
        community_name=facts.community.name,
        plan_name=facts.plan.name,
        state=_state(held) if paid else str(facts.order.status),
        paid=paid,
        inside=bool(wanted) and len(on) == len(wanted),
        invite_url=next((url for task in wanted if (url := _door(task))), ""),
        spaces=tuple(dict.fromkeys((task.space_row.platform, task.space_row.space) for task in wanted)),
        waiting=waiting if paid else "",
        notices=told,
        checkout_url=facts.order.checkout_url,
        invite_code=facts.invite_code,
        payer=payer,
        ways=ways,
    )


def _door(task: GrantTask) -> str:
    """Return what the payer opens themselves: the invite made for them, else the creator's own link into the space."""
    outside = task.grant.status == GrantStatus.BLOCKED and task.grant.remedy == Remedy.MEMBER
    return task.grant.door or (task.space_row.invite_link if outside else "")


def _state(held: Sequence[GrantTask]) -> str:
    """Return ``ended`` once what was paid for has been on and is wanted no more."""
    return "ended" if held and not any(task.grant.wanted for task in held) else "paid"
