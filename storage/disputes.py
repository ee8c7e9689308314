"""Payments whose bank takes them back, asks about them, or warns that they are fraud."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, Text, UniqueConstraint, bindparam
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, OrderId, StripeAccountId
from core.money import Money
from core.payments import DISPUTE_HOLDS, DISPUTE_LOST
from storage.accounts import AccountRow
from storage.orders import OrderRow
from storage.plans import PlanRow
from storage.types import UTCDateTime, owned, scoped
from storage.upsert import table

WARNED = "warned"
"""Our own word: nothing is disputed yet, an issuer calls it fraud."""


class DisputeRow(SQLModel, table=True):
    """One dispute, as the processor last told of it, and what its payment was for."""

    __tablename__ = "disputes"
    __table_args__ = (
        owned("disputes"),
        scoped("disputes", "member_id", "members"),
        scoped("disputes", "order_id", "orders"),
        UniqueConstraint("stripe_account_id", "stripe_dispute_id", name="uq_disputes_stripe"),
        Index("ix_disputes_source", "source_kind", "source_id"),
        Index("ix_disputes_order_id", "order_id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    """Who holds what the payment was for."""
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    stripe_dispute_id: str
    source_kind: str
    """What an entitlement comes from (``subscription``, ``pass``, ``gift``), or ``tip``."""
    source_id: str
    order_id: OrderId | None = Field(default=None, sa_type=Text)
    status: str
    """The processor's word, or ``warned``."""
    reason: str = ""
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    answer_by: datetime | None = Field(default=None, sa_type=UTCDateTime)
    opened_at: datetime = Field(sa_type=UTCDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    @property
    def money(self) -> Money:
        """What it is about."""
        return Money(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class Warned:
    """An order that an issuer calls fraud, with what it is about."""

    row: DisputeRow
    order: OrderRow
    plan: PlanRow
    account: AccountRow


_WARNED = (
    select(DisputeRow, OrderRow, PlanRow, AccountRow)
    .join(OrderRow, col(OrderRow.id) == col(DisputeRow.order_id))
    .join(PlanRow, col(PlanRow.id) == col(OrderRow.plan_id))
    .join(AccountRow, col(AccountRow.id) == col(OrderRow.account_id))
    .where(DisputeRow.community_id == bindparam("community"), col(DisputeRow.status) == WARNED, col(DisputeRow.closed_at).is_(None))
    .order_by(col(DisputeRow.opened_at))
    .limit(bindparam("limit", type_=Integer))
)
_WARNED_ORDER = _WARNED.where(DisputeRow.order_id == bindparam("order"))
_OF_SOURCE = (col(DisputeRow.source_kind) == bindparam("kind"), col(DisputeRow.source_id) == bindparam("source"))
_ONE = select(DisputeRow.id).where(*_OF_SOURCE).limit(1)
_HOLDING = _ONE.where(col(DisputeRow.status).in_(DISPUTE_HOLDS), DisputeRow.id != bindparam("besides"))
_LOST = _ONE.where(DisputeRow.status == DISPUTE_LOST)
_GIVEN_BACK = (
    table(DisputeRow)
    .update()
    .where(*_OF_SOURCE, col(DisputeRow.status) == WARNED, col(DisputeRow.closed_at).is_(None))
    .values(closed_at=bindparam("at"))
)
_BY_STRIPE_ID = (
    select(DisputeRow)
    .where(DisputeRow.stripe_account_id == bindparam("account"), DisputeRow.stripe_dispute_id == bindparam("dispute"))
    .with_for_update()
)


async def by_stripe_id(session: AsyncSession, account: StripeAccountId, dispute: str) -> DisputeRow | None:
    """Find a dispute by the processor's id; nobody else changes it until this transaction ends."""
    return (await session.exec(_BY_STRIPE_ID, params={"account": account, "dispute": dispute})).first()


async def holding(session: AsyncSession, kind: str, source: str, *, besides: str = "") -> bool:
    """Say whether some dispute, ``besides`` one, suspends what a source opened."""
    return (await session.exec(_HOLDING, params={"kind": kind, "source": source, "besides": besides})).first() is not None


async def lost(session: AsyncSession, kind: str, source: str) -> bool:
    """Say whether a dispute about what a source is paid with was lost."""
    return (await session.exec(_LOST, params={"kind": kind, "source": source})).first() is not None


async def warnings(session: AsyncSession, community: CommunityId, limit: int) -> Sequence[Warned]:
    """Return the orders of a community that an issuer calls fraud and that were not given back, the oldest first."""
    return [Warned(*row) for row in await session.execute(_WARNED, {"community": community, "limit": limit})]


async def warned(session: AsyncSession, community: CommunityId, order: OrderId) -> Warned | None:
    """Return an order that an issuer calls fraud and that was not given back."""
    found = (await session.execute(_WARNED_ORDER, {"community": community, "order": order, "limit": 1})).first()
    return Warned(*found) if found is not None else None


async def given_back(session: AsyncSession, kind: str, source: str, at: datetime) -> None:
    """Note that what a source is paid with was given back: nobody need do so any more."""
    await session.execute(_GIVEN_BACK, {"kind": kind, "source": source, "at": at})
