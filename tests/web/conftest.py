from collections.abc import AsyncIterator

import pytest

from core.ids import Ids
from sandbox.clock import VirtualClock
from storage.database import Database
from tests.web.site import Site, Visitor


@pytest.fixture
async def site(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Site]:
    """The site with one link on sale, ``gold``."""
    site = Site(sqlite_database, clock, ids)
    site.invites.sell()
    async with site.open():
        yield site


@pytest.fixture
async def fan(site: Site) -> AsyncIterator[Visitor]:
    """A browser that knows nothing yet."""
    async with site.visitor() as visitor:
        yield visitor
