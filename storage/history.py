"""What the record says of a member's orders, subscriptions, entitlements, grants and accounts, in the order it was written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import and_, bindparam, literal_column, or_, select
from sqlalchemy.sql import ColumnElement
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from core.causality import Change
from core.ids import CommunityId, MemberId
from storage.accounts import AccountRow
from storage.audit import AuditRow
from storage.entitlements import EntitlementRow
from storage.grants import GrantRow
from storage.orders import OrderRow
from storage.plans import PlanRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.subscriptions import SubscriptionRow
from storage.upsert import dialect_of, table

_KINDS: dict[str, type[SQLModel]] = {
    "order": OrderRow,
    "subscription": SubscriptionRow,
    "entitlement": EntitlementRow,
    "grant": GrantRow,
    "account": AccountRow,
}
"""Tables whose rows belong to a member, by what the record calls them."""
Owned = TypeVar("Owned", OrderRow, SubscriptionRow, EntitlementRow, GrantRow, AccountRow)
_audit = table(AuditRow).c
_ORDER: dict[str, tuple[ColumnElement[object], ...]] = {
    "sqlite": (literal_column("audit.rowid"),),
    "postgresql": (_audit.seq.nulls_first(), _audit.at),
}


def _owned(kind: str, row: type[SQLModel]) -> ColumnElement[bool]:
    columns = table(row).c
    theirs = select(columns.id).where(columns.community_id == bindparam("community"), columns.member_id == bindparam("member"))
    return and_(_audit.subject_kind == kind, _audit.subject_id.in_(theirs))


_OF_MEMBER = select(AuditRow).where(
    _audit.community_id == bindparam("community"), or_(*(_owned(kind, row) for kind, row in _KINDS.items()))
)
_LINES = {dialect: _OF_MEMBER.order_by(*order) for dialect, order in _ORDER.items()}


@dataclass(slots=True)
class Names:
    """What the ids in a member's record are called."""

    plans: dict[str, str] = field(default_factory=dict)
    plan_of: dict[str, str] = field(default_factory=dict)
    """The plan of each order, subscription and entitlement."""
    external: dict[str, str] = field(default_factory=dict)
    """What the processor calls each subscription."""
    resources: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Of each grant: the resource, its space and the platform."""
    accounts: dict[str, str] = field(default_factory=dict)
    """Of each grant and account: the name."""


async def of_member(session: AsyncSession, community: CommunityId, member: MemberId) -> list[Change]:
    """Return every line about what belongs to a member."""
    rows = (await session.execute(_LINES[dialect_of(session)], {"community": community, "member": member})).scalars()
    return [
        Change(
            at=row.at, cause=row.cause_id, action=row.action, subject=(row.subject_kind, row.subject_id), before=row.before,
            after=row.after, actor=row.actor, answer=row.answer,
        )
        for row in rows
    ]  # fmt: skip


async def live(session: AsyncSession, community: CommunityId, member: MemberId) -> dict[tuple[str, str], dict[str, object]]:
    """Return how a member's entitlements and grants stand by their own rows, told as the record tells it."""
    found: dict[tuple[str, str], dict[str, object]] = {}
    for entitlement in await _rows(session, EntitlementRow, community, member):
        found["entitlement", entitlement.id] = entitlement.facts
    for grant in await _rows(session, GrantRow, community, member):
        found["grant", grant.id] = {**grant.facts, "resource": grant.resource_id, "account": grant.account_id}
    return found


async def names(session: AsyncSession, community: CommunityId, member: MemberId) -> Names:
    """Return what people call what a member's record is about."""
    plans = (await session.execute(select(PlanRow).where(col(PlanRow.community_id) == community))).scalars()
    said = Names(plans={plan.id: plan.name for plan in plans})
    for order in await _rows(session, OrderRow, community, member):
        said.plan_of[order.id] = said.plans[order.plan_id]
    for subscription in await _rows(session, SubscriptionRow, community, member):
        said.plan_of[subscription.id] = said.plans[subscription.plan_id]
        said.external[subscription.id] = subscription.stripe_subscription_id
    for entitlement in await _rows(session, EntitlementRow, community, member):
        said.plan_of[entitlement.id] = said.plans[entitlement.plan_id]
    for account in await _rows(session, AccountRow, community, member):
        said.accounts[account.id] = account.name
    for grant in await _rows(session, GrantRow, community, member):
        resource = await session.get_one(ResourceRow, grant.resource_id)
        space = await session.get_one(SpaceRow, resource.space_id)
        said.resources[grant.id] = resource.name, space.name, space.platform
        said.accounts[grant.id] = said.accounts.get(grant.account_id) or (await session.get_one(AccountRow, grant.account_id)).name
    return said


async def _rows(session: AsyncSession, row: type[Owned], community: CommunityId, member: MemberId) -> Sequence[Owned]:
    query = select(row).where(table(row).c.community_id == community, table(row).c.member_id == member)
    return (await session.execute(query.order_by(table(row).c.id))).scalars().all()
