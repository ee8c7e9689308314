"""The schema's version: bringing a database up to date, and saying whether it is."""

from collections.abc import Callable
from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from storage.engine import Engines, migration_engine


class SchemaError(Exception):
    """The database cannot be brought to this version; the message says why and what to do."""


async def upgrade(engines: Engines, revision: str = "head") -> None:
    """Run every migration that is missing, in one transaction; nothing changes when one of them fails. Raises SchemaError.

    Two programs that start together do it one after the other.
    """
    await _migrate(engines, lambda config: command.upgrade(config, revision))


async def downgrade(engines: Engines, revision: str = "base") -> None:
    """Take migrations back, down to ``revision``, in one transaction. ``base`` drops every table with all that is in it."""
    await _migrate(engines, lambda config: command.downgrade(config, revision))


async def head(engines: Engines) -> bool:
    """Return whether the database is exactly at this program's schema."""
    async with engines.reader.connect() as connection:
        current = await connection.run_sync(lambda sync: set(MigrationContext.configure(sync).get_current_heads()))
    with as_file(files("storage") / "migrations") as folder:
        return current == set(ScriptDirectory(folder).get_heads())


async def _migrate(engines: Engines, run: Callable[[Config], None]) -> None:
    def inside(connection: Connection) -> None:
        with as_file(files("storage") / "migrations") as folder:
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(folder).replace("%", "%%"))
            run(config)
        if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
            raise SchemaError(f"a migration left {len(broken)} rows that point nowhere, first in {broken[0][0]}; nothing was changed")

    engine = migration_engine(engines.writer.url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(inside)
    except CommandError as error:
        raise SchemaError(f"{error}: this database was made by another version of Doorman; install that one or a newer one") from error
    finally:
        await engine.dispose()
