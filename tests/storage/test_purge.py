"""What is old and done with goes, in batches; what is not stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from core.ids import PlatformUserId
from storage import credentials, inbox, outbox, states
from storage.credentials import CredentialRow
from storage.database import Database
from storage.inbox import WorkStatus
from storage.states import BrowserRow, StateRow
from tests.storage.rows import AT, PLATFORM, everything, inbox_row, outbox_row, store

SECOND = timedelta(seconds=1)


def outgoing(name: str, **changes: Any) -> SQLModel:  # noqa: ANN401
    return outbox_row("a", id=f"{name}-outbox", dedupe=None, **changes)


@pytest.mark.parametrize(
    ("module", "made", "moment"), [(inbox, inbox_row, "received_at"), (outbox, outgoing, "created_at")], ids=["inbox", "outbox"]
)
async def test_only_old_work_that_is_done_is_deleted(database: Database, module: Any, made: Callable[..., SQLModel], moment: str) -> None:  # noqa: ANN401
    old = {moment: AT - SECOND}
    await store(
        database,
        [
            everything("a")[0],
            made("old-done", status=WorkStatus.DONE, **old),
            made("old-pending", **old),
            made("old-dead", status=WorkStatus.DEAD, **old),
            made("new-done", status=WorkStatus.DONE, **{moment: AT}),
        ],
    )
    async with database.transaction() as session:
        assert await module.purge(session, AT, 100) == 1
        assert await module.purge(session, AT, 100) == 0
    left = await ids(database, module.__name__.rpartition(".")[2])
    assert left == {f"{name}-{module.__name__.rpartition('.')[2]}" for name in ("old-pending", "old-dead", "new-done")}


async def test_a_batch_takes_the_oldest_first_and_no_more_than_it_may(database: Database) -> None:
    rows = [inbox_row(str(number), status=WorkStatus.DONE, received_at=AT + number * SECOND) for number in (3, 1, 4, 2, 5)]
    await store(database, rows)
    async with database.transaction() as session:
        assert await inbox.purge(session, AT + timedelta(days=1), 3) == 3
    assert await ids(database, "inbox") == {"4-inbox", "5-inbox"}


async def test_round_trips_and_proofs_go_when_their_time_is_over(database: Database) -> None:
    await store(database, [*browsing("over", AT - SECOND), *browsing("live", AT + SECOND)])
    async with database.transaction() as session:
        assert await states.purge_states(session, AT, 100) == 1
        assert await states.purge_browsers(session, AT, 100) == 1
    async with database.reading() as session:
        left = (await session.execute(text("SELECT state_hash FROM states UNION ALL SELECT browser_hash FROM browsers"))).scalars().all()
    assert left == ["live", "live"]


def browsing(name: str, until: datetime) -> list[SQLModel]:
    return [
        StateRow(state_hash=name, browser_hash=name, platform=PLATFORM, purpose="join", subject="code", expires_at=until),
        BrowserRow(browser_hash=name, platform=PLATFORM, user=PlatformUserId("42"), name="Ann", expires_at=until),
    ]


async def test_secrets_go_when_their_time_is_over_and_stay_when_they_have_none(database: Database) -> None:
    ends = {"over": AT - SECOND, "live": AT + SECOND, "endless": None}
    await store(
        database,
        [CredentialRow(platform=PLATFORM, subject=name, purpose="join", secret="s", expires_at=end) for name, end in ends.items()],
    )
    async with database.transaction() as session:
        assert await credentials.purge(session, AT, 100) == 1
    async with database.reading() as session:
        left = (await session.execute(text("SELECT subject FROM credentials"))).scalars().all()
    assert set(left) == {"live", "endless"}


async def ids(db: Database, table: str) -> set[str]:
    async with db.reading() as session:
        return set((await session.execute(text(f"SELECT id FROM {table}"))).scalars())  # noqa: S608
