"""Subscriptions to ask the processor about, and what a community would lose by its answers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select

from core.ids import CommunityId, EntitlementId, MemberId, PlanId, ResourceId, StripeAccountId
from storage.communities import CommunityRow
from storage.database import Session
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.grants import GrantRow
from storage.plan_resources import PlanResourceRow
from storage.subscriptions import SubscriptionRow
from storage.types import inline
from storage.upsert import table

AGAIN_AFTER = timedelta(hours=1)
"""One that was asked about since it fell due and is still open (a status we do not know) is asked about this often."""
CHUNK = 500
_entitlement = table(EntitlementRow).c
_subscription = table(SubscriptionRow).c
_community = table(CommunityRow).c
_grant = table(GrantRow).c
_ACTIVE = _entitlement.state == inline(EntitlementState.ACTIVE)
_GOES_ON = or_(_community.stopped_at.is_(None), _community.confirmed_at.is_not(None))
_OF_SUBSCRIPTION = _entitlement.source_kind == SourceKind.SUBSCRIPTION
_OVERDUE = (
    _ACTIVE,
    _OF_SUBSCRIPTION,
    _entitlement.expires_at <= bindparam("now"),
    or_(_subscription.fetched_at < _entitlement.expires_at, _subscription.fetched_at <= bindparam("earlier")),
    or_(_GOES_ON, _subscription.cancel_at <= bindparam("now")),
)


def _of_subscriptions(*columns: ColumnElement[Any]) -> Select[Any]:
    joined = select(*columns).join_from(table(EntitlementRow), table(SubscriptionRow), _subscription.id == _entitlement.source_id)
    return joined.join(table(CommunityRow), _community.id == _entitlement.community_id)


_COMMUNITIES = _of_subscriptions(_community.id).where(*_OVERDUE).distinct()
_CONFIRMED = select(_community.id).where(_community.confirmed_at.is_not(None))
_STOPPED = select(_community.id).where(_community.stopped_at.is_not(None), _community.confirmed_at.is_(None))
_OF_COMMUNITY = _of_subscriptions(_subscription.stripe_account_id, _subscription.stripe_subscription_id).where(
    _community.id == bindparam("community")
)
_OVERDUE_ONES = _OF_COMMUNITY.where(*_OVERDUE)
_LIVE = _OF_COMMUNITY.where(_ACTIVE, _OF_SUBSCRIPTION)
_HELD = select(func.count()).select_from(table(GrantRow)).where(_grant.community_id == bindparam("community"), _grant.wanted)


@dataclass(frozen=True, slots=True, order=True)
class SubscriptionRef:
    """A subscription as the processor calls it."""

    account: StripeAccountId
    external_id: str


async def communities(session: Session, now: datetime) -> list[CommunityId]:
    """Return the communities with subscriptions that :func:`overdue` finds, and those a person has told to go on."""
    waiting = await session.execute(_COMMUNITIES, {"now": now, "earlier": now - AGAIN_AFTER})
    return sorted({*waiting.scalars(), *await confirmed(session)})


async def confirmed(session: Session) -> list[CommunityId]:
    """Return the stopped communities a person has told to go on."""
    return list((await session.execute(_CONFIRMED)).scalars())


async def stopped(session: Session) -> list[CommunityId]:
    """Return the communities that wait for a person's word."""
    return list((await session.execute(_STOPPED)).scalars())


async def overdue(session: Session, community: CommunityId, now: datetime) -> list[SubscriptionRef]:
    """Return a community's subscriptions that should be over by what we know: asked about, never ended unasked.

    While the community is stopped only those that were cancelled for a moment that has come: they end whatever else waits.
    """
    found = await session.execute(_OVERDUE_ONES, {"community": community, "now": now, "earlier": now - AGAIN_AFTER})
    return [SubscriptionRef(*one) for one in found]


async def live(session: Session, community: CommunityId) -> list[SubscriptionRef]:
    """Return every subscription of a community that opens something."""
    return [SubscriptionRef(*one) for one in await session.execute(_LIVE, {"community": community})]


async def held(session: Session, community: CommunityId) -> int:
    """Count the grants a community's members should hold."""
    return int((await session.execute(_HELD, {"community": community})).scalar_one())


async def lost(session: Session, community: CommunityId, become: Mapping[EntitlementId, PlanId | None]) -> int:
    """Count the wanted grants that nothing would open any more if entitlements became of another plan, or of none."""
    opens: dict[PlanId, set[ResourceId]] = {}
    opened = select(table(PlanResourceRow)).where(table(PlanResourceRow).c.community_id == community)
    for found in await session.execute(opened):
        opens.setdefault(found.plan_id, set()).add(found.resource_id)
    gone = 0
    for members in _chunks(await _members(session, become)):
        kept: dict[MemberId, set[ResourceId]] = {}
        reasons = select(_entitlement.id, _entitlement.member_id, _entitlement.plan_id)
        for reason in await session.execute(reasons.where(_ACTIVE, _entitlement.member_id.in_(members))):
            plan = become.get(reason.id, reason.plan_id)
            kept.setdefault(reason.member_id, set()).update(opens.get(plan, ()) if plan else ())
        wanted = select(_grant.member_id, _grant.resource_id).where(_grant.wanted, _grant.member_id.in_(members))
        gone += sum(resource not in kept.get(member, ()) for member, resource in await session.execute(wanted))
    return gone


async def _members(session: Session, entitlements: Collection[EntitlementId]) -> list[MemberId]:
    members: set[MemberId] = set()
    for some in _chunks(list(entitlements)):
        members.update((await session.execute(select(_entitlement.member_id).where(_entitlement.id.in_(some)))).scalars())
    return sorted(members)


def _chunks(names: Sequence[str]) -> Iterator[list[str]]:
    following = iter(names)
    while chunk := list(islice(following, CHUNK)):
        yield chunk
