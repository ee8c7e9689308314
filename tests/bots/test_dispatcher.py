"""The asyncio dispatcher keeps the contract."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from bots.dispatcher import AsyncioDispatcher
from core.dispatch import Drain
from sandbox.clock import VirtualClock
from storage.database import Database
from tests.bots.dispatcher_contract import DispatcherContract, Running


class TestAsyncioDispatcher(DispatcherContract):
    def opened(
        self, db: Database, clock: VirtualClock, owner: str, drains: Mapping[str, Drain], grace: float
    ) -> AbstractAsyncContextManager[Running]:
        return AsyncioDispatcher(db, clock, owner, drains, grace=grace)
