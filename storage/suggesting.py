"""Who paid before joining and has not shown an account yet: whose the one that just came in may be."""

from collections.abc import Collection, Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from core.ids import CommunityId, StripeAccountId
from core.people import GUEST
from core.platform import Space
from storage.accounts import AccountRow
from storage.customers import CustomerRow
from storage.entitlements import EntitlementRow, EntitlementState
from storage.plans import PlanRow


def _seated(space: Space) -> SelectOfScalar[str]:
    """Return the members who have an account where the space is."""
    return select(AccountRow.member_id).where(AccountRow.platform == space.platform, AccountRow.realm == space.realm)


def _waiting(community: CommunityId, space: Space) -> Select[AccountRow, CustomerRow, str]:
    """Return guests who have something now and no account where the space is, as whom they paid, and the plan's name."""
    return (
        select(AccountRow, CustomerRow, PlanRow.name)
        .join(CustomerRow, col(CustomerRow.member_id) == col(AccountRow.member_id))
        .join(EntitlementRow, col(EntitlementRow.member_id) == col(AccountRow.member_id))
        .join(PlanRow, col(PlanRow.id) == col(EntitlementRow.plan_id))
        .where(
            AccountRow.community_id == community,
            AccountRow.platform == GUEST,
            col(EntitlementRow.state) == EntitlementState.ACTIVE,
            col(AccountRow.member_id).not_in(_seated(space).where(AccountRow.community_id == community)),
        )
    )


async def processors(session: AsyncSession, community: CommunityId, space: Space) -> Sequence[StripeAccountId]:
    """Return at which of our accounts with the processor such guests paid; empty when nobody waits."""
    query = _waiting(community, space).with_only_columns(col(CustomerRow.stripe_account_id)).distinct()
    return sorted((await session.execute(query)).scalars())


async def guest_of(
    session: AsyncSession, community: CommunityId, space: Space, processor: StripeAccountId, customers: Collection[str]
) -> tuple[AccountRow, str] | None:
    """Return the guest who paid last as one of ``customers``, with the plan's name; None when none of them waits."""
    query = _waiting(community, space).where(CustomerRow.stripe_account_id == processor, col(CustomerRow.stripe_customer_id).in_(customers))
    found = (await session.exec(query.order_by(col(EntitlementRow.starts_at).desc()).limit(1))).first()
    return (found[0], found[2]) if found is not None else None
