"""The credentials port over the database."""

from datetime import timedelta

import pytest

from core.credentials import Credentials
from sandbox.clock import VirtualClock
from storage.credentials import CredentialRow, CredentialStore
from storage.database import Database
from tests.storage.rows import PLATFORM

HOUR = timedelta(hours=1)


@pytest.fixture
def credentials(database: Database, clock: VirtualClock) -> Credentials:
    return CredentialStore(database, clock)


async def test_a_secret_is_there_until_its_time_is_over(credentials: Credentials, clock: VirtualClock) -> None:
    await credentials.put(PLATFORM, ":42", "join", "one", clock.now() + HOUR)
    clock.advance(HOUR - timedelta(seconds=1))
    assert await credentials.get(PLATFORM, ":42", "join") == "one"
    clock.advance(timedelta(seconds=1))
    assert await credentials.get(PLATFORM, ":42", "join") is None


async def test_a_secret_without_an_end_stays(credentials: Credentials, clock: VirtualClock) -> None:
    await credentials.put(PLATFORM, "T1", "installation", "one", None)
    clock.advance(timedelta(days=4000))
    assert await credentials.get(PLATFORM, "T1", "installation") == "one"


async def test_a_newer_secret_takes_the_older_ones_place_and_time(credentials: Credentials, clock: VirtualClock) -> None:
    await credentials.put(PLATFORM, ":42", "join", "one", clock.now())
    await credentials.put(PLATFORM, ":42", "join", "two", clock.now() + HOUR)
    assert await credentials.get(PLATFORM, ":42", "join") == "two"


async def test_a_newer_secret_leaves_the_lease_on_its_renewal_alone(database: Database, clock: VirtualClock) -> None:
    credentials = CredentialStore(database, clock)
    async with database.transaction() as session:
        session.add(
            CredentialRow(platform=PLATFORM, subject="T1", purpose="installation", secret="one", epoch=7, leased_until=clock.now() + HOUR)
        )
    await credentials.put(PLATFORM, "T1", "installation", "two", None)
    async with database.reading() as session:
        row = await session.get_one(CredentialRow, (PLATFORM, "T1", "installation"))
    assert (row.secret, row.epoch, row.leased_until) == ("two", 7, clock.now() + HOUR)


async def test_secrets_of_other_subjects_and_purposes_are_not_touched(credentials: Credentials) -> None:
    names = [(":42", "join"), (":43", "join"), (":42", "refresh")]
    for subject, purpose in names:
        await credentials.put(PLATFORM, subject, purpose, f"{subject} {purpose}", None)
    await credentials.forget(PLATFORM, ":42", "join")
    assert [await credentials.get(PLATFORM, *name) for name in names] == [None, ":43 join", ":42 refresh"]


async def test_forgetting_what_is_not_there_is_fine(credentials: Credentials) -> None:
    await credentials.forget(PLATFORM, ":42", "join")
    assert await credentials.get(PLATFORM, ":42", "join") is None


async def test_of_two_who_want_to_renew_a_secret_one_may(credentials: Credentials, clock: VirtualClock) -> None:
    await credentials.put(PLATFORM, "T1", "installation", "old", clock.now())
    lease = await credentials.lease(PLATFORM, "T1", "installation", HOUR)
    assert lease is not None
    assert lease.secret == "old"
    assert await credentials.lease(PLATFORM, "T1", "installation", HOUR) is None
    assert await credentials.renew(PLATFORM, "T1", "installation", lease, "new", clock.now() + HOUR)
    assert await credentials.get(PLATFORM, "T1", "installation") == "new"
    assert await credentials.lease(PLATFORM, "T1", "installation", HOUR) is not None


async def test_whoever_was_relieved_of_a_renewal_cannot_store_it(credentials: Credentials, clock: VirtualClock) -> None:
    await credentials.put(PLATFORM, "T1", "installation", "old", None)
    paused = await credentials.lease(PLATFORM, "T1", "installation", HOUR)
    clock.advance(HOUR)
    relief = await credentials.lease(PLATFORM, "T1", "installation", HOUR)
    assert paused is not None
    assert relief is not None
    assert not await credentials.renew(PLATFORM, "T1", "installation", paused, "late", None)
    assert await credentials.renew(PLATFORM, "T1", "installation", relief, "new", None)
    assert await credentials.get(PLATFORM, "T1", "installation") == "new"


async def test_what_is_not_there_cannot_be_renewed(credentials: Credentials) -> None:
    assert await credentials.lease(PLATFORM, "T1", "installation", HOUR) is None
