"""Who has tried something for nothing: one trial in a community for a person, whichever of their accounts and customers it was with."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, bindparam, delete
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, OrderId
from storage.accounts import AccountRow
from storage.customers import CustomerRow
from storage.orders import OrderRow, OrderStatus
from storage.types import UTCDateTime, scoped
from storage.upsert import inserts


class TrialRow(SQLModel, table=True):
    """One mark of a person whose trial an order is: their member, an account of theirs, or who they are at the processor."""

    __tablename__ = "trials"
    __table_args__ = (
        scoped("trials", "member_id", "members"),
        scoped("trials", "order_id", "orders"),
        UniqueConstraint("community_id", "mark", name="uq_trials_mark"),
        Index("ix_trials_order_id", "order_id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text)
    member_id: MemberId = Field(sa_type=Text)
    order_id: OrderId = Field(sa_type=Text)
    mark: str
    at: datetime = Field(sa_type=UTCDateTime)


_OF_ACCOUNTS = select(AccountRow.platform, AccountRow.realm, AccountRow.external_id).where(AccountRow.member_id == bindparam("member"))
_OF_CUSTOMERS = select(CustomerRow.stripe_customer_id).where(CustomerRow.member_id == bindparam("member"))
_THESE = (col(TrialRow.community_id) == bindparam("community"), col(TrialRow.mark).in_(bindparam("marks", expanding=True)))
_KNOWN = select(TrialRow.id).where(*_THESE).limit(1)
_STALE = delete(TrialRow).where(
    *_THESE,
    col(TrialRow.order_id).in_(select(OrderRow.id).where(col(OrderRow.status).in_([OrderStatus.EXPIRED, OrderStatus.FAILED]))),
)
"""Marks of orders that came to nothing: nothing was tried."""
_ADD = {
    dialect: new.on_conflict_do_nothing().returning(col(TrialRow.id))  # nothing is returned for one that was there
    for dialect, new in inserts(TrialRow).items()
}
_OF_ORDER = select(TrialRow.id).where(TrialRow.order_id == bindparam("order")).limit(1)


async def marks(session: AsyncSession, member: MemberId) -> list[str]:
    """Return what a person is known by: all accounts they have or had, and all customers, never an address they typed."""
    found = [f"member:{member}"]
    found += [f"account:{platform}:{realm}:{user}" for platform, realm, user in await session.exec(_OF_ACCOUNTS, params={"member": member})]
    found += [f"customer:{customer}" for customer in await session.exec(_OF_CUSTOMERS, params={"member": member})]
    return sorted(found)


async def had(session: AsyncSession, community: CommunityId, known_by: Iterable[str]) -> bool:
    """Say whether any of the marks has had a trial, or is at a checkout for one; what came to nothing is forgotten first."""
    which = {"community": community, "marks": list(known_by)}
    await session.execute(_STALE, which)
    return (await session.exec(_KNOWN, params=which)).first() is not None


async def take(session: AsyncSession, rows: Sequence[TrialRow]) -> bool:
    """Note a trial under all marks at once; False, and nothing noted, when somebody was faster with one of them."""
    statement = _ADD[session.get_bind().dialect.name]
    stored = [(await session.execute(statement, row.model_dump())).first() for row in rows]
    if None not in stored:
        return True
    await session.execute(delete(TrialRow).where(col(TrialRow.order_id) == rows[0].order_id))
    return False


async def follow(session: AsyncSession, row: TrialRow) -> None:
    """Note one more mark of whoever an order's trial is of, a customer made since; nothing where the order has no trial."""
    if (await session.exec(_OF_ORDER, params={"order": row.order_id})).first() is not None:
        await session.execute(_ADD[session.get_bind().dialect.name], row.model_dump())
