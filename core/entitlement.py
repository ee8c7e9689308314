"""What should this member hold now? Pure decisions from what the processor said to what is open."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.ids import ResourceId
from core.payments import SubscriptionSnapshot

LEEWAY = timedelta(hours=72)
"""How long access outlives a paid period: a late renewal never locks a payer out, a lost cancel never gives access for ever."""

KNOWN_STATUSES = frozenset({"trialing", "active", "past_due", "incomplete", "incomplete_expired", "canceled", "unpaid", "paused"})


class Verdict(StrEnum):
    """Whether a subscription opens its plan."""

    OPEN = "open"
    CLOSED = "closed"
    KEEP = "keep"
    """A word we do not know: change nothing, and have somebody look."""


@dataclass(frozen=True, slots=True)
class Access:
    """The verdict, and until when an open one holds without hearing anything new."""

    verdict: Verdict
    until: datetime | None = None


def subscription_access(
    snapshot: SubscriptionSnapshot,
    *,
    past_due_since: datetime | None,
    grace: timedelta,
    refunded_until: datetime | None,
    now: datetime,
    paid_until: datetime | None = None,
) -> Access:
    """Decide access from a subscription's status (docs.stripe.com/billing/subscriptions/overview#subscription-statuses).

    A fully refunded period opens nothing; a period paid after it does again. While nothing is collected (``paid_until`` is what was paid
    for when that began) the status stays as it was, and only what was paid for opens.
    """
    if snapshot.status not in KNOWN_STATUSES:
        return Access(Verdict.KEEP)
    if refunded_until is not None and snapshot.period_end <= refunded_until:
        return Access(Verdict.CLOSED)
    if snapshot.paused and paid_until is not None and snapshot.status in {"trialing", "active"}:
        return Access(Verdict.OPEN, paid_until) if now < paid_until else Access(Verdict.CLOSED)
    if snapshot.status in {"trialing", "active"}:
        return Access(Verdict.OPEN, snapshot.period_end + LEEWAY)
    if snapshot.status == "past_due":
        end = (past_due_since or now) + grace
        return Access(Verdict.OPEN, end) if now < end else Access(Verdict.CLOSED)
    return Access(Verdict.CLOSED)


@dataclass(frozen=True, slots=True)
class Reason:
    """One source of access and what it opens."""

    source: str
    resources: frozenset[ResourceId]


def desired(reasons: Iterable[Reason]) -> Mapping[ResourceId, tuple[str, ...]]:
    """Return every resource some reason opens, with its reasons: a union, so that losing one of two keeps what both open."""
    wanted: dict[ResourceId, tuple[str, ...]] = {}
    for reason in reasons:
        for resource in reason.resources:
            wanted[resource] = (*wanted.get(resource, ()), reason.source)
    return wanted
