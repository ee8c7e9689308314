"""Our copy of the processor's subscriptions."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, bindparam, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, PlanId, PriceId, StripeAccountId, SubscriptionId
from storage.types import UTCDateTime, owned, scoped
from storage.upsert import keep_first

OVER = ("canceled", "incomplete_expired", "incomplete")
"""The statuses in which the processor charges nothing any more, or never did."""
_PAST_DUE = text("past_due_since IS NOT NULL")


class SubscriptionRow(SQLModel, table=True):
    """A subscription as the processor last showed it to us. Only billing.subscription writes it."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        owned("subscriptions"),
        scoped("subscriptions", "member_id", "members"),
        scoped("subscriptions", "plan_id", "plans"),
        UniqueConstraint("stripe_account_id", "stripe_subscription_id", name="uq_subscriptions_stripe"),
        Index("ix_subscriptions_past_due", "past_due_since", sqlite_where=_PAST_DUE, postgresql_where=_PAST_DUE),
        Index("ix_subscriptions_member_id", "member_id"),
        Index("ix_subscriptions_plan_id", "plan_id"),
    )

    id: SubscriptionId = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    plan_id: PlanId = Field(sa_type=Text)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    stripe_subscription_id: str
    stripe_customer_id: str
    stripe_price_id: str
    status: str
    """The processor's own word, an open set."""
    started_at: datetime = Field(sa_type=UTCDateTime)
    period_end: datetime = Field(sa_type=UTCDateTime)
    trial_end: datetime | None = Field(default=None, sa_type=UTCDateTime)
    cancel_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When it will end, once it was cancelled; also for a cancel at the period's end."""
    ended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    past_due_since: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the renewal first failed; None once it is paid."""
    next_notice_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When the next reminder of a failed renewal is due."""
    notices_sent: int = 0
    owed: int | None = Field(default=None, sa_type=BigInteger)
    """What the failed renewal's invoice still asks for, in minor units; None while nothing has failed, or where it is not known."""
    owed_currency: str = ""
    pay_url: str = ""
    """The page on which that invoice is paid."""
    refunded_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """End of the last period whose payment was given back in full; it opens nothing."""
    paused_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When a pause ends by itself; None when it is not paused."""
    paid_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """What was paid for when a pause began: access ends with it. None when it is not paused."""
    next_price_id: PriceId | None = Field(default=None, sa_type=Text)
    """The price it changes to at its period's end; None when it stays."""
    fetched_at: datetime = Field(sa_type=UTCDateTime)


_BY_STRIPE_ID = select(SubscriptionRow).where(
    SubscriptionRow.stripe_account_id == bindparam("account"), SubscriptionRow.stripe_subscription_id == bindparam("external_id")
)
_HELD_BY_STRIPE_ID = _BY_STRIPE_ID.with_for_update()


async def by_stripe_id(session: AsyncSession, account: StripeAccountId, external_id: str, *, lock: bool = False) -> SubscriptionRow | None:
    """Find our copy of a subscription; ``lock`` holds other writers off it until this transaction ends (SQLite has one writer anyway)."""
    query = _HELD_BY_STRIPE_ID if lock else _BY_STRIPE_ID
    return (await session.exec(query, params={"account": account, "external_id": external_id})).first()


async def ensure(session: AsyncSession, row: SubscriptionRow) -> SubscriptionRow:
    """Store our first copy of a subscription, unless another writer was faster, and return the one that is there, held as by ``lock``."""
    await keep_first(session, row)
    found = await by_stripe_id(session, row.stripe_account_id, row.stripe_subscription_id, lock=True)
    if found is None:
        raise RuntimeError("a subscription that was just stored is not there")
    return found


async def ever(session: AsyncSession, member: MemberId) -> bool:
    """Return whether a member has subscribed before: a trial is for those who have not."""
    return (await session.exec(select(SubscriptionRow.id).where(SubscriptionRow.member_id == member))).first() is not None


async def waiting(session: AsyncSession, member: MemberId, plan: PlanId) -> SubscriptionRow | None:
    """Find a subscription to a plan that lives on at the processor: a second one beside it would be a double."""
    query = select(SubscriptionRow).where(
        SubscriptionRow.member_id == member, SubscriptionRow.plan_id == plan, col(SubscriptionRow.status).not_in(OVER)
    )
    return (await session.exec(query)).first()


async def renewing(session: AsyncSession, member: MemberId, plan: PlanId) -> SubscriptionRow | None:
    """Find the subscription to a plan whose next payment will come as far as we know: neither failing, cancelled nor paused."""
    query = select(SubscriptionRow).where(
        SubscriptionRow.member_id == member,
        SubscriptionRow.plan_id == plan,
        col(SubscriptionRow.status).in_(["active", "trialing"]),
        col(SubscriptionRow.cancel_at).is_(None),
        col(SubscriptionRow.paused_until).is_(None),
    )
    return (await session.exec(query.with_for_update())).first()


async def going_on(session: AsyncSession, member: MemberId) -> Sequence[SubscriptionRow]:
    """Return a member's subscriptions that are not over, oldest first."""
    query = select(SubscriptionRow).where(SubscriptionRow.member_id == member, col(SubscriptionRow.status).not_in(OVER))
    return (await session.exec(query.order_by(col(SubscriptionRow.started_at)))).all()


async def customers_of(session: AsyncSession, member: MemberId, account: StripeAccountId) -> Sequence[str]:
    """Return the customers of a member's subscriptions at the processor: those that live first, and of them one that needs a hand."""
    query = select(SubscriptionRow).where(SubscriptionRow.member_id == member, SubscriptionRow.stripe_account_id == account)
    rows = sorted((await session.exec(query)).all(), key=lambda row: row.started_at, reverse=True)
    rows.sort(key=lambda row: (row.status in OVER, row.past_due_since is None))
    return [row.stripe_customer_id for row in rows]
