"""What was given up: listed, shown, tried again, dropped."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import select

from bots import letters
from bots.foundation import open_database, prepare
from core.dispatch import Lane
from core.errors import Refusal
from core.ids import CauseId, CommunityId, Ids, RandomIds
from sandbox.clock import VirtualClock
from sandbox.stripe.emulator import StripeEmulator
from storage import dead_letters
from storage.audit import AuditRow, Trail
from storage.communities import CommunityRow
from storage.database import Database, Session
from storage.grants import GrantRow, GrantStatus
from storage.inbox import InboxKind, InboxRow, WorkStatus
from storage.outbox import OutboxKind, OutboxRow
from tests.bots.test_bootstrap import Installation
from tests.membership.house import CAUSE, House

KEY = "sk_test_canary0123456789"


@pytest.fixture
async def installation(tmp_path: Path, clock: VirtualClock, migrated_sqlite: Path) -> AsyncIterator[Installation]:
    stripe = StripeEmulator(clock, seed=3)
    async with stripe.serve():
        installation = Installation(tmp_path, clock, stripe, migrated_sqlite)
        async with open_database(installation.configuration()) as db:
            await prepare(db, clock, RandomIds(), migrate=False)
            async with db.transaction() as session:
                await bury(session, clock)
        yield installation


@pytest.fixture
async def house(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> House:
    house = House(sqlite_database, clock, ids)
    await house.build()
    return house


def came_in(name: str, clock: VirtualClock) -> InboxRow:
    return InboxRow(
        id=name, kind=InboxKind.STRIPE, source="stripe:env", event_id=f"evt_{name}", type="invoice.paid", object_id="in_1",
        lane=Lane("stripe:env"), payload=b"{}", status=WorkStatus.DEAD, received_at=clock.now(), due_at=clock.now(),
    )  # fmt: skip


async def bury(session: Session, clock: VirtualClock) -> None:
    now = clock.now()
    session.add(CommunityRow(id=CommunityId("c"), name="Den", currency="USD", created_at=now))
    await session.flush()
    broken, foreign = came_in("tried", clock), came_in("foreign", clock)
    broken.payload, broken.attempts, broken.error = f'{{"key": "{KEY}"}}'.encode(), 16, "broken"
    foreign.error = "of another account: acct_2"
    session.add_all([broken, foreign])
    session.add(
        OutboxRow(
            id="notice", community_id=CommunityId("c"), kind=OutboxKind.NOTICE, lane=Lane("work:00"), subject="m",
            payload={"kind": "hello"}, status=WorkStatus.DEAD, attempts=16, error="no way", created_at=now, due_at=now,
            cause_id=CauseId("x"),
        )
    )  # fmt: skip


async def statuses(installation: Installation) -> dict[str, str]:
    async with open_database(installation.configuration()) as db, db.reading() as session:
        rows = [*await session.exec(select(InboxRow)), *await session.exec(select(OutboxRow))]
        return {row.id: str(row.status) for row in rows}


async def test_everything_is_listed_with_what_it_is_and_what_it_said(installation: Installation) -> None:
    found = await letters.every(installation.configuration())
    assert {(one.id, one.what, one.error) for one in found} == {
        ("tried", "invoice.paid from stripe:env", "broken"),
        ("foreign", "invoice.paid from stripe:env", "of another account: acct_2"),
        ("notice", "hello", "no way"),
    }


async def test_one_is_shown_in_full_save_secrets(installation: Installation) -> None:
    said = await letters.told(installation.configuration(), "tried")
    assert "16 tries" in said
    assert "broken" in said
    assert '{"key": "•••"}' in said


async def test_what_is_tried_again_is_due_from_the_start_and_what_is_another_s_is_left(installation: Installation) -> None:
    assert await letters.try_again(installation.configuration(), []) == 2
    assert await statuses(installation) == {"tried": "pending", "foreign": "dead", "notice": "pending"}
    assert await letters.try_again(installation.configuration(), []) == 0, "doing it twice does nothing more"


async def test_what_was_set_aside_is_not_ours_to_try(installation: Installation) -> None:
    with pytest.raises(Refusal, match=r"it is of another account: acct_2\. Drop it, or mend the keys\."):
        await letters.try_again(installation.configuration(), ["foreign"])


async def test_what_is_dropped_says_so_and_is_given_up_no_longer(installation: Installation) -> None:
    assert await letters.forget(installation.configuration(), ["foreign", "notice"]) == 2
    assert await statuses(installation) == {"tried": "dead", "foreign": "done", "notice": "done"}
    with pytest.raises(Refusal, match="Nothing called foreign was given up"):
        await letters.forget(installation.configuration(), ["foreign"])


async def test_what_somebody_should_hold_is_tried_again_with_a_line_in_the_record_and_never_dropped(house: House) -> None:
    who = await house.settler()
    await house.sell(who, house.silver)
    async with house.db.transaction() as session:
        (row,) = (await session.exec(select(GrantRow))).all()
        row.status = GrantStatus.DEAD
        session.add(row)
    async with house.db.transaction() as session:
        letter = await dead_letters.find(session, row.id)
        assert letter is not None
        assert (letter.is_grant, await dead_letters.drop(session, letter, house.clock.now())) == (True, False)
        assert await dead_letters.replay(session, letter, Trail(house.ids, house.clock.now(), CAUSE))
    await house.drain()
    assert house.held(who) == {"member"}
    async with house.db.reading() as session:
        retried = (await session.exec(select(AuditRow).where(AuditRow.action == "grant.retried"))).one()
    assert (retried.before["status"], retried.after["status"]) == ("dead", "pending")
