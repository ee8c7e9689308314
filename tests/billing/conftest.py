from datetime import timedelta

import pytest

from billing.catchup import CatchUp
from billing.order import Orders
from billing.subscription import Subscriptions
from core.ids import Ids
from sandbox.clock import VirtualClock
from storage.database import Database
from tests.billing.processor import Processor
from tests.membership.town import Town


@pytest.fixture
async def town(database: Database, clock: VirtualClock) -> Town:
    town = Town(database, clock.now())
    await town.build()
    return town


@pytest.fixture
def processor(clock: VirtualClock) -> Processor:
    return Processor(clock.now())


@pytest.fixture
def catch_up(database: Database, clock: VirtualClock, ids: Ids, processor: Processor) -> CatchUp:
    subscriptions = Subscriptions(db=database, clock=clock, ids=ids, gateways=processor, grace=timedelta(days=7))
    orders = Orders(db=database, clock=clock, ids=ids, gateways=processor, subscriptions=subscriptions)
    return CatchUp(db=database, clock=clock, ids=ids, gateways=processor, subscriptions=subscriptions, orders=orders)
