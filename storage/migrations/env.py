"""What Alembic runs: on the connection storage.schema hands over, or from its own command line with ``-x url=…``."""

import asyncio
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from storage.engine import migration_engine, normalise
from storage.tables import metadata
from storage.types import Encrypted, UTCDateTime

LOCK = 0x646F6F72
"""PostgreSQL's advisory lock for migrating: two programs started together migrate one after the other."""


def render(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - Alembic's signature
    """Write plain types into migrations, which must not change when ours do."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Encrypted):
        return "sa.Text()"
    if kind == "type" and type(item).__name__ == "JSON":
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    if kind == "type" and type(item).__name__ == "AutoString":
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations in the transaction that is open on ``connection``."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        render_as_batch=sqlite,
        render_item=render,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def from_command_line() -> None:
    """Open the database named with ``-x url=…``; for developers, who write the next migration this way."""
    engine = migration_engine(normalise(context.get_x_argument(as_dictionary=True)["url"]))
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    asyncio.run(from_command_line())
else:
    migrate(given)
