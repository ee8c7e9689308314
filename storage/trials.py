"""Who has tried something for nothing: one trial in a community for a person, whichever of their accounts and customers it was with."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, bindparam, delete
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, MemberId, OrderId
from storage.accounts import AccountRow
from storage.customers import CustomerRow
from storage.types import UTCDateTime, scoped
from storage.upsert import insert


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
_KNOWN = select(TrialRow.id).where(
    TrialRow.community_id == bindparam("community"), col(TrialRow.mark).in_(bindparam("marks", expanding=True))
)


async def marks(session: AsyncSession, member: MemberId) -> list[str]:
    """Return what a person is known by: all accounts they have or had, and all customers, never an address they typed."""
    found = [f"member:{member}"]
    found += [f"account:{platform}:{realm}:{user}" for platform, realm, user in await session.exec(_OF_ACCOUNTS, params={"member": member})]
    found += [f"customer:{customer}" for customer in await session.exec(_OF_CUSTOMERS, params={"member": member})]
    return sorted(found)


async def had(session: AsyncSession, community: CommunityId, known_by: Iterable[str]) -> bool:
    """Say whether any of the marks has had a trial, or is at a checkout for one."""
    which = {"community": community, "marks": list(known_by)}
    return (await session.exec(_KNOWN, params=which)).first() is not None


async def take(session: AsyncSession, rows: list[TrialRow]) -> bool:
    """Note a trial under all marks at once; False, and nothing noted, when somebody was faster with one of them."""
    statement = insert(session, TrialRow).on_conflict_do_nothing().returning(col(TrialRow.id))
    stored = [(await session.execute(statement, row.model_dump())).first() for row in rows]
    if None not in stored:
        return True
    await release(session, rows[0].order_id)
    return False


async def follow(session: AsyncSession, order: OrderId, row: TrialRow) -> None:
    """Note one more mark of whoever an order's trial is of, unless it has its own: a customer made since."""
    if (await session.exec(select(TrialRow.id).where(TrialRow.order_id == order).limit(1))).first() is not None:
        await session.execute(insert(session, TrialRow).on_conflict_do_nothing(), row.model_dump())


async def release(session: AsyncSession, order: OrderId) -> None:
    """Forget the trial of an order that came to nothing: nothing was tried."""
    await session.execute(delete(TrialRow).where(col(TrialRow.order_id) == order))
