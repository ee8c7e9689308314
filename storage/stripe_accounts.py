"""The processor's accounts we may use."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Text
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import CommunityId, StripeAccountId
from storage.types import Encrypted, UTCDateTime
from storage.upsert import keep_first

ENVIRONMENT = StripeAccountId("env")
"""The account of the keys in the environment: row one, shared by every community of this installation."""


class StripeAccountKind(StrEnum):
    """How we may use an account."""

    ENV = "env"
    """By the key in the environment."""
    CONNECT = "connect"
    """On its behalf, with the environment's key and the account's id."""
    RESTRICTED = "restricted"
    """By a restricted key of its own."""


class StripeAccountRow(SQLModel, table=True):
    """One account. Every row that holds a Stripe id says which account it is of."""

    __tablename__ = "stripe_accounts"

    id: StripeAccountId = Field(sa_type=Text, primary_key=True)
    kind: StripeAccountKind = Field(sa_type=Text)
    community_id: CommunityId | None = Field(default=None, sa_type=Text, foreign_key="communities.id")
    """Whose account it is; None for the environment's."""
    external_id: str = ""
    """``acct_…``; empty until it is known."""
    key: str | None = Field(default=None, sa_type=Encrypted("stripe_accounts.key"))
    """A restricted key; None where the environment's key is used."""
    livemode: bool = False
    events_seen_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """Catch-up's cursor: events created before this have been looked at."""
    full_sync_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    """When every subscription was last compared."""
    created_at: datetime = Field(sa_type=UTCDateTime)


async def ensure_environment(session: AsyncSession, now: datetime) -> None:
    """Make the environment's account, row one, unless it is there."""
    row = StripeAccountRow(id=ENVIRONMENT, kind=StripeAccountKind.ENV, created_at=now)
    await keep_first(session, row)


async def introduce(session: AsyncSession, account: StripeAccountId, external_id: str, *, livemode: bool) -> None:
    """Store which of the processor's accounts a row is, once that is known."""
    row = await session.get_one(StripeAccountRow, account)
    row.external_id, row.livemode = external_id, livemode
    session.add(row)
