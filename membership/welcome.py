"""How an order stands, for its welcome page."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import Remedy
from core.ids import PlatformName
from core.people import Identity
from core.platform import Space
from membership.standing import WayIn, note, standing_of
from storage.entitlements import EntitlementState, SourceKind
from storage.grants import GrantStatus, GrantTask
from storage.orders import OrderStatus
from storage.standing import OrderFacts


@dataclass(frozen=True, slots=True)
class Welcome:
    """An order for its welcome page."""

    community_name: str
    plan_name: str
    state: str
    """open, pending, paid, on_hold, ended, failed, expired."""
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


def welcome_of(facts: OrderFacts, held: Sequence[GrantTask], told: tuple[str, ...], payer: Identity, ways: tuple[WayIn, ...]) -> Welcome:
    """Say how an order stands: ``held`` is what its payer's accounts have of what it opens, ``told`` what could not be told elsewhere."""
    wanted = [task for task in held if task.grant.wanted]
    on = [task for task in wanted if standing_of(task).on]
    waiting = next((f"{task.resource_row.name}: {note(task)}." for task in wanted if task not in on), "")
    paid = _paid(facts)
    return Welcome(
        community_name=facts.community.name,
        plan_name=facts.plan.name,
        state=_state(facts) if paid else str(facts.order.status),
        paid=paid,
        inside=paid and bool(wanted) and len(on) == len(wanted),
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


def _paid(facts: OrderFacts) -> bool:
    """Whether its own payment is known: what the payer has for another reason pays for nothing here.

    A subscription may be heard of, and open, before its order is settled; while it lasts nobody orders its plan once more.
    """
    under_way = facts.order.status in {OrderStatus.OPEN, OrderStatus.PENDING}
    opened = any(held.source_kind == SourceKind.SUBSCRIPTION and held.state == EntitlementState.ACTIVE for held in facts.entitlements)
    return facts.order.status == OrderStatus.PAID or (under_way and opened)


def _state(facts: OrderFacts) -> str:
    """Return ``ended`` once every reason the order's plan was open for is over; what that opens is decided a moment later.

    ``on_hold`` where one is suspended and no other opens it.
    """
    states = {held.state for held in facts.entitlements}
    if EntitlementState.SUSPENDED in states and EntitlementState.ACTIVE not in states:
        return "on_hold"
    return "ended" if states == {EntitlementState.ENDED} else "paid"
