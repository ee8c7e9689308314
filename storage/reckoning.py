"""Money and access side by side: who pays and is outside, and who is inside and does not pay."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, EntitlementId, MemberId, PlanId, SubscriptionId
from core.money import Money
from core.worth import monthly
from storage.accounts import AccountRow
from storage.entitlements import EntitlementRow, EntitlementState, SourceKind
from storage.grants import Actual, GrantRow, GrantStatus
from storage.plan_resources import PlanResourceRow
from storage.plans import PlanRow
from storage.prices import PriceRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from storage.subscriptions import SubscriptionRow
from storage.types import inline

PAID = (SourceKind.SUBSCRIPTION, SourceKind.PASS)
"""What somebody paid for; the rest was given."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One person and one thing. ``worth`` is by the month; ``why`` is what stands in the way, empty when it is on its way."""

    member: MemberId
    name: str
    plan: str
    resource: str
    worth: Money
    why: str


_HELD = select(GrantRow.id).where(
    GrantRow.member_id == EntitlementRow.member_id, GrantRow.resource_id == PlanResourceRow.resource_id, col(GrantRow.wanted),
    col(GrantRow.actual) == Actual.GRANTED, col(GrantRow.status) == GrantStatus.DONE,
)  # fmt: skip
_OUTSIDE = (
    select(EntitlementRow, PlanRow, ResourceRow, SpaceRow)
    .join(PlanRow, col(PlanRow.id) == col(EntitlementRow.plan_id))
    .join(PlanResourceRow, col(PlanResourceRow.plan_id) == col(PlanRow.id))
    .join(ResourceRow, col(ResourceRow.id) == col(PlanResourceRow.resource_id))
    .join(SpaceRow, col(SpaceRow.id) == col(ResourceRow.space_id))
    .where(
        EntitlementRow.community_id == bindparam("community"), col(EntitlementRow.state) == inline(EntitlementState.ACTIVE),
        col(EntitlementRow.source_kind).in_(PAID), ~_HELD.exists(),
    )
    .order_by(col(EntitlementRow.starts_at), col(EntitlementRow.id), col(ResourceRow.name))
)  # fmt: skip
_UNPAID = (
    select(GrantRow, ResourceRow, AccountRow)
    .join(ResourceRow, col(ResourceRow.id) == col(GrantRow.resource_id))
    .join(AccountRow, col(AccountRow.id) == col(GrantRow.account_id))
    .where(
        GrantRow.community_id == bindparam("community"), ~col(GrantRow.wanted), col(GrantRow.status) != GrantStatus.DONE,
        col(GrantRow.attempted), ~col(GrantRow.found),
    )
    .order_by(col(GrantRow.changed_at), col(GrantRow.id))
)  # fmt: skip


async def outside(session: AsyncSession, community: CommunityId) -> list[Mismatch]:
    """Return who pays for something they do not have by what the platform last said, the longest first; their worth is counted once."""
    found: list[Mismatch] = []
    counted: set[EntitlementId] = set()
    for entitlement, plan, resource, space in (await session.exec(_OUTSIDE, params={"community": community})).all():
        price = await price_of(session, entitlement.plan_id, entitlement)
        worth = monthly(price.money, plan.interval) if entitlement.id not in counted else Money(0, price.currency)
        counted.add(entitlement.id)
        name, why = await _stands(session, entitlement.member_id, resource, space)
        found.append(Mismatch(entitlement.member_id, name, plan.name, resource.name, worth, why))
    return found


async def unpaid(session: AsyncSession, community: CommunityId) -> list[Mismatch]:
    """Return who still has what we gave though nothing pays for it any more, the longest first, by what its cheapest plan costs."""
    found: list[Mismatch] = []
    for grant, resource, account in (await session.exec(_UNPAID, params={"community": community})).all():
        plan, worth = await cheapest(session, resource, community)
        found.append(Mismatch(grant.member_id, account.name, plan, resource.name, worth, grant.error))
    return found


async def price_of(session: AsyncSession, plan: PlanId, entitlement: EntitlementRow | None) -> PriceRow:
    """Return what somebody pays for a plan: their own price where they subscribed, else what it costs now."""
    prices = (await session.exec(select(PriceRow).where(PriceRow.plan_id == plan).order_by(col(PriceRow.active).desc()))).all()
    own = ""
    if entitlement is not None and entitlement.source_kind == SourceKind.SUBSCRIPTION:
        subscription = await session.get(SubscriptionRow, SubscriptionId(entitlement.source_id))
        own = subscription.stripe_price_id if subscription is not None else ""
    return next((price for price in prices if price.stripe_price_id == own), prices[0])


async def _stands(session: AsyncSession, member: MemberId, resource: ResourceRow, space: SpaceRow) -> tuple[str, str]:
    """Return somebody's name, and what keeps something from them."""
    query = (
        select(AccountRow, GrantRow)
        .join(GrantRow, (col(GrantRow.account_id) == col(AccountRow.id)) & (col(GrantRow.resource_id) == resource.id), isouter=True)
        .where(AccountRow.member_id == member, col(AccountRow.active))
    )
    rows: Sequence[tuple[AccountRow, GrantRow | None]] = (await session.exec(query)).all()
    there = [(account, grant) for account, grant in rows if (account.platform, account.realm) == (space.platform, space.realm)]
    name = next((account.name for account, _ in [*there, *rows]), member)
    if not space.connected:
        return name, f"I am no longer in {space.name}"
    if not there:
        return name, f"they have no account in {space.name} yet"
    grant = there[0][1]
    return name, (grant.error or ("" if grant.status == GrantStatus.PENDING else "it was not given")) if grant is not None else ""


async def cheapest(session: AsyncSession, resource: ResourceRow, community: CommunityId) -> tuple[str, Money]:
    """Return the cheapest plan that opens something, and what it is worth a month; without a name where none does any more."""
    query = (
        select(PlanRow, PriceRow)
        .join(PriceRow, col(PriceRow.plan_id) == col(PlanRow.id))
        .join(PlanResourceRow, col(PlanResourceRow.plan_id) == col(PlanRow.id))
        .where(PlanResourceRow.resource_id == resource.id, PlanRow.community_id == community, col(PriceRow.active))
    )
    worths = [(monthly(price.money, plan.interval), plan.name) for plan, price in (await session.exec(query)).all()]
    if not worths:
        return "", Money(0, "USD")
    worth, plan = min(worths, key=lambda one: one[0].minor)
    return plan, worth
