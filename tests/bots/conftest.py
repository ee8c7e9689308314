import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from bots.logging import OURS
from core.ids import Ids
from sandbox.clock import VirtualClock
from storage.database import Database
from tests.bots.bench import Bench, open_bench


@pytest.fixture
async def bench(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Bench]:
    """A community in memory with its creator, a fan and a role; nothing is sold yet."""
    async with open_bench(sqlite_database, clock, ids) as opened:
        yield opened


@pytest.fixture
def undisturbed() -> Iterator[None]:
    """Put the log back as it was."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    levels = {logger: logger.level for logger in (root, *map(logging.getLogger, OURS))}
    yield
    root.handlers[:] = handlers
    for logger, level in levels.items():
        logger.setLevel(level)
    logging.captureWarnings(capture=False)
