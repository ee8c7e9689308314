"""The books: one row per posting, debit and credit in it, so that they balance by construction. Append-only."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, bindparam
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, StripeAccountId
from storage.append_only import append_only
from storage.types import UTCDateTime
from storage.upsert import dialect_of, inserts, table


class LedgerRow(SQLModel, table=True):
    """``amount`` moves from ``credit`` to ``debit``."""

    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("stripe_account_id", "cause", name="uq_ledger_cause"),
        CheckConstraint("amount > 0", name="ck_ledger_amount"),
        CheckConstraint("debit <> credit", name="ck_ledger_sides"),
        Index("ix_ledger_community_id", "community_id", "at"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    community_id: CommunityId = Field(sa_type=Text, foreign_key="communities.id")
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    debit: str
    credit: str
    amount: int = Field(sa_type=BigInteger)
    """Minor units, always positive."""
    currency: str = Field(max_length=3)
    cause: str
    """What is booked, once for ever: ``payment:pi_…``, ``fee:pi_…``, ``refund:re_…``."""
    subject: str = ""
    """Our own row behind it: ``order:…``, ``subscription:…``, ``tip:…``."""
    at: datetime = Field(sa_type=UTCDateTime)


append_only(LedgerRow)
_BOOK = {dialect: new.on_conflict_do_nothing().returning(table(LedgerRow).c.id) for dialect, new in inserts(LedgerRow).items()}
_BOOKED = select(LedgerRow.id).where(col(LedgerRow.stripe_account_id) == bindparam("account"), col(LedgerRow.cause) == bindparam("cause"))


async def book(session: AsyncSession, row: LedgerRow) -> bool:
    """Post a row unless its cause is booked already; returns whether it was posted."""
    return (await session.execute(_BOOK[dialect_of(session)], row.model_dump())).first() is not None


async def booked(session: AsyncSession, account: StripeAccountId, cause: str) -> bool:
    """Return whether a cause is in the books."""
    return (await session.exec(_BOOKED, params={"account": account, "cause": cause})).first() is not None
