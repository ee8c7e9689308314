"""After a restored backup: people are let in, and nobody loses anything until everything was compared."""

import random

import pytest

from core.ids import Ids
from membership.grant import GrantDrain
from membership.restraint import AGAIN_AFTER, Restraint
from sandbox.clock import VirtualClock
from storage.credentials import CredentialStore
from storage.database import Database
from storage.grants import GrantStatus
from tests.membership.house import House
from tests.membership.town import PLATFORM


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


async def test_what_is_given_is_given_and_what_is_taken_waits_without_counting_as_a_try(house: House) -> None:
    restraint = Restraint(held=True)
    house.grants = GrantDrain(
        db=house.db,
        clock=house.clock,
        ids=house.ids,
        adapters={PLATFORM: house.adapter},
        credentials=CredentialStore(house.db, house.clock),
        rng=random.Random(7),  # noqa: S311 - replayable
        restraint=restraint,
    )
    leaving, staying = await house.settlers(2)
    source = await house.sell(leaving, house.silver)
    await house.sell(staying, house.silver)
    await house.drain()
    await house.end(leaving, source)
    await house.drain()
    assert (house.held(leaving), house.held(staying)) == ({"member"}, {"member"})
    row = await house.row(leaving)
    assert (row.status, row.attempts, row.due_at) == (GrantStatus.PENDING, 0, house.clock.now() + AGAIN_AFTER)
    restraint.lift()
    await house.later(AGAIN_AFTER)
    assert house.held(leaving) == set()
