"""A town for each walk: the emulators, the product in this process, and a clock that moves only when told to.

Walks on which the database has a say take ``shop`` and are walked on both: two at once, money that takes days, what falls due by the
clock, what is made up for or taken up again after a restart, and one of every kind of way in and out. The others take ``sqlite_shop``:
they differ in what a vendor answers or a page says, over queries that these walks and the tests of storage, billing and membership
send to both databases already. Walking all of them twice would take longer than anybody waits before each change.
"""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from core.ids import Ids
from storage import schema
from storage.engine import create_engines
from storage.vault import Vault
from tests.conformance import RECORD
from tests.walks.shop import Shop, open_shop
from tests.walks.stage import Stage, open_stage

TEMPLATE = "doorman_walks"


def migrated(url: str) -> None:
    """Bring a database up to date as the product does."""

    async def run() -> None:
        engines = create_engines(url, Vault(["the key that made the template"]))
        await schema.upgrade(engines)
        await engines.dispose()

    asyncio.run(run())


@pytest.fixture(scope="session")
def record() -> Path | None:
    """Where to write every exchange, when somebody wants to hold them against the vendors' descriptions."""
    return Path(RECORD) if RECORD else None


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with every migration run, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "doorman.db"
    migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Callable[[str], str]) -> str:
    """The name of a PostgreSQL database with every migration run, to be copied."""
    _administer(postgres_server("postgres"), f"CREATE DATABASE {TEMPLATE}")
    migrated(postgres_server(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def walk_sqlite(migrated_sqlite: Path, folder_in_memory: Path) -> str:
    """The address of an empty SQLite database."""
    path = folder_in_memory / "doorman.db"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def walk_postgres(postgres_server: Callable[[str], str], migrated_postgres: str, ids: Ids) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    name = "w" + ids.secret()[:24].lower().replace("-", "_")
    _administer(postgres_server("postgres"), f"CREATE DATABASE {name} TEMPLATE {migrated_postgres}")
    yield postgres_server(name)
    _administer(postgres_server("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def walk_database(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: every walk that asks is walked on both."""
    url: str = request.getfixturevalue("walk_sqlite" if request.param == "sqlite" else "walk_postgres")
    return url


@pytest.fixture
def errors_expected() -> bool:
    """Asked for by walks on which an error is to be logged."""
    return True


@pytest.fixture(autouse=True)
def nothing_went_wrong_unseen(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A bug that was caught and logged fails the walk too."""
    yield
    if "errors_expected" in request.fixturenames:
        return
    bugs = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not bugs, [record.getMessage() for record in bugs]


@pytest.fixture
async def stage(walk_database: str, record: Path | None) -> AsyncIterator[Stage]:
    """The sandbox and the product, on SQLite and on PostgreSQL."""
    async with open_stage(walk_database, record=record) as opened:
        yield opened


@pytest.fixture
async def sqlite_stage(walk_sqlite: str, record: Path | None) -> AsyncIterator[Stage]:
    """The same for walks on which the database has no say: on SQLite alone."""
    async with open_stage(walk_sqlite, record=record) as opened:
        yield opened


@pytest.fixture
async def shop(stage: Stage) -> Shop:
    """A creator's server with two roles, on both databases; nothing is sold yet."""
    return await open_shop(stage, "Silver", "Gold")


@pytest.fixture
async def sqlite_shop(sqlite_stage: Stage) -> Shop:
    """The same on SQLite alone."""
    return await open_shop(sqlite_stage, "Silver", "Gold")


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
