"""Who somebody may mean: a person by whatever an operator has at hand."""

from sqlalchemy import literal, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from core.ids import CommunityId, MemberId
from storage.accounts import AccountRow
from storage.customers import CustomerRow
from storage.members import MemberRow
from storage.orders import OrderRow
from storage.subscriptions import SubscriptionRow
from storage.upsert import table

WAYS = "an account's name or id on its platform, a member's or order's id, or a customer's or subscription's id at Stripe"


async def members(session: AsyncSession, words: str) -> list[tuple[CommunityId, MemberId]]:
    """Return the members that ``words`` name, in whichever communities; one person may be a member of several."""
    asked = literal(words.strip().removeprefix("@"))
    account, member, order = table(AccountRow).c, table(MemberRow).c, table(OrderRow).c
    customer, subscription = table(CustomerRow).c, table(SubscriptionRow).c
    ways = (
        select(account.community_id, account.member_id).where((account.external_id == asked) | (account.name == asked)),
        select(member.community_id, member.id).where(member.id == asked),
        select(order.community_id, order.member_id).where(order.id == asked),
        select(customer.community_id, customer.member_id).where(customer.stripe_customer_id == asked),
        select(subscription.community_id, subscription.member_id).where(
            (subscription.stripe_subscription_id == asked) | (subscription.stripe_customer_id == asked)
        ),
    )
    rows = (await session.execute(union(*ways))).all()
    return sorted((CommunityId(community), MemberId(found)) for community, found in rows)
