"""Where the processor delivers to us."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ids import EndpointId, StripeAccountId
from storage.stripe_accounts import ENVIRONMENT
from storage.types import Encrypted, UTCDateTime
from storage.upsert import keep_first

ENVIRONMENT_ENDPOINT = EndpointId("env")
"""``/webhooks/stripe``: its secrets come from the environment."""


class WebhookEndpointRow(SQLModel, table=True):
    """One endpoint, at ``/webhooks/stripe/{path}``."""

    __tablename__ = "webhook_endpoints"

    id: EndpointId = Field(sa_type=Text, primary_key=True)
    stripe_account_id: StripeAccountId = Field(sa_type=Text, foreign_key="stripe_accounts.id")
    path: str = Field(unique=True)
    """Random; empty for the environment's."""
    secrets: str | None = Field(default=None, sa_type=Encrypted("webhook_endpoints.secrets"))
    """Accepted signing secrets, comma-separated; None where the environment's are used."""
    created_at: datetime = Field(sa_type=UTCDateTime)


async def ensure_environment(session: AsyncSession, now: datetime) -> None:
    """Make the environment's endpoint, row one, unless it is there."""
    row = WebhookEndpointRow(id=ENVIRONMENT_ENDPOINT, stripe_account_id=ENVIRONMENT, path="", created_at=now)
    await keep_first(session, row)


async def by_path(session: AsyncSession, path: str) -> WebhookEndpointRow | None:
    """Find an endpoint by the last part of its address."""
    return (await session.exec(select(WebhookEndpointRow).where(WebhookEndpointRow.path == path))).first()
