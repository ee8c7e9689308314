"""One attempt at a grant: what each error makes of the row, who is told, and how often."""

import pytest

from core.errors import ExternalError, InstallationRevoked, PermanentError, Remedy, ResourceMissing
from core.ids import Ids
from sandbox.clock import VirtualClock
from storage.database import Database
from storage.grants import Actual, GrantStatus
from tests.membership.house import ABOVE, House

BAD_TOKEN = PermanentError("The token is refused.", code="401")
CREATORS = [
    ABOVE,
    ResourceMissing("That does not exist any more.", code="unknown_resource"),
    InstallationRevoked("The bot is not in that space any more.", code="not_in_space"),
]


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


@pytest.mark.parametrize("error", [CREATORS[0], CREATORS[2]], ids=lambda error: type(error).__name__)
async def test_a_revoke_that_is_refused_is_never_called_revoked(house: House, error: ExternalError) -> None:
    who = await house.settler()
    source = await house.sell(who, house.silver)
    await house.drain()
    house.adapter.refused[who, "member"] = error
    await house.end(who, source)
    await house.drain()
    row = await house.row(who)
    assert (row.wanted, row.actual, row.status, row.remedy) == (False, Actual.GRANTED, GrantStatus.BLOCKED, Remedy.CREATOR)
    house.adapter.refused.clear()
    await house.probe()
    await house.drain()
    assert house.held(who) == set()
