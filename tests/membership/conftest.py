import pytest

from sandbox.clock import VirtualClock
from storage.database import Database
from tests.membership.town import Town


@pytest.fixture
async def town(database: Database, clock: VirtualClock) -> Town:
    town = Town(database, clock.now())
    await town.build()
    return town
