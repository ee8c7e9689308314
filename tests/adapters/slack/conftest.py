from collections.abc import AsyncIterator

import pytest

from sandbox.clock import VirtualClock
from storage.credentials import CredentialStore
from storage.database import Database
from tests.adapters.slack.house import House


@pytest.fixture
def store(sqlite_database: Database, clock: VirtualClock) -> CredentialStore:
    return CredentialStore(sqlite_database, clock)


@pytest.fixture
async def house(clock: VirtualClock, store: CredentialStore) -> AsyncIterator[House]:
    """The app installed in the club, with signed requests."""
    async with House(clock, store).open() as opened:
        yield opened


@pytest.fixture
async def wired(clock: VirtualClock, store: CredentialStore) -> AsyncIterator[House]:
    """The same over a socket."""
    async with House(clock, store, socket=True).open() as opened:
        yield opened
