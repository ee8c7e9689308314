"""Whose key it is: what happens with the key of another account or mode, and with one that may not tell."""

import hashlib
import hmac
import json
import logging
from datetime import timedelta

import pytest
from sqlmodel import select

from billing.catchup import CatchUp
from billing.webhook import StripeWebhooks
from core.errors import KeyRefused, TransientError
from core.ids import Ids
from core.payments import AccountSnapshot
from sandbox.clock import VirtualClock
from sandbox.mark import MARK
from storage import stripe_accounts
from storage.database import Database
from storage.entitlements import EntitlementRow, EntitlementState
from storage.inbox import GroupCommit, InboxRow
from storage.stripe_accounts import ENVIRONMENT, StripeAccountRow
from tests.billing.processor import Processor
from tests.membership.town import Town

DAY = timedelta(days=1)


async def account(db: Database) -> StripeAccountRow:
    async with db.reading() as session:
        return await session.get_one(StripeAccountRow, ENVIRONMENT)


async def open_ones(db: Database) -> int:
    async with db.reading() as session:
        return len((await session.exec(select(EntitlementRow).where(EntitlementRow.state == EntitlementState.ACTIVE))).all())


def becomes(monkeypatch: pytest.MonkeyPatch, processor: Processor, external_id: str, *, livemode: bool) -> None:
    """Have the key be another account's, or of another mode."""

    async def found() -> AccountSnapshot:
        return AccountSnapshot(external_id, livemode=livemode, charges_enabled=True, default_currency="USD")

    monkeypatch.setattr(processor, "account", found)


def refuses(monkeypatch: pytest.MonkeyPatch, processor: Processor, *what: str) -> None:
    """Have the key not be allowed to ask."""

    async def refused() -> object:
        raise KeyRefused("the key may not", code="permission")

    for name in what:
        monkeypatch.setattr(processor, name, refused)


@pytest.mark.parametrize(("external_id", "livemode", "says"), [("acct_2", False, "acct_2 (test)"), ("acct_1", True, "acct_1 (live)")])
async def test_another_accounts_key_is_told_of_and_nothing_is_asked_with_it(  # noqa: PLR0913 - fixtures
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, external_id: str, says: str, *, livemode: bool,
) -> None:  # fmt: skip
    [name] = await town.subscribe([await town.member()], clock.now() + 10 * DAY)
    processor.says(name, "active", clock.now() + 7 * DAY)
    await catch_up.run()
    assert await catch_up.identity() == ""
    before = await account(town.db)
    becomes(monkeypatch, processor, external_id, livemode=livemode)
    processor.held.clear()
    clock.advance(DAY)
    report = await catch_up.run()
    assert says in str(report)
    assert "acct_1 (test)" in str(report)
    assert says in await catch_up.identity()
    assert [record for record in caplog.records if record.levelno == logging.ERROR and says in record.getMessage()]
    assert not processor.asked
    assert await account(town.db) == before
    assert await open_ones(town.db) == 1


async def test_before_the_first_run_any_key_is_the_right_one(town: Town, catch_up: CatchUp) -> None:
    assert await catch_up.identity() == ""
    assert (await account(town.db)).external_id == ""


async def test_a_processor_that_is_away_is_not_taken_for_another(catch_up: CatchUp, processor: Processor) -> None:
    processor.broken = TransientError("no network")
    assert await catch_up.identity() == ""


async def test_a_key_that_may_not_read_the_account_catches_up_all_the_same(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses(monkeypatch, processor, "account")
    [name] = await town.subscribe([await town.member()], clock.now() + 10 * DAY)
    processor.says(name, "canceled", clock.now())
    processor.event("evt_1", "customer.subscription.deleted", name, clock.now())
    report = await catch_up.run()
    assert not report.troubles
    assert await open_ones(town.db) == 0
    assert (await account(town.db)).full_sync_at == clock.now()


async def test_a_key_that_tells_no_time_for_good_does_not_keep_everything_open(
    town: Town, catch_up: CatchUp, processor: Processor, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses(monkeypatch, processor, "account", "skew")
    [name] = await town.subscribe([await town.member()], clock.now() + 10 * DAY)
    processor.says(name, "canceled", clock.now())
    await catch_up.run()
    assert await open_ones(town.db) == 0


@pytest.mark.parametrize(
    ("named", "livemode", "why"),
    [("acct_2", False, "another account"), ("", True, "a live event for a test account"), ("acct_1", True, "a live event")],
)
async def test_a_delivery_of_another_account_or_mode_is_set_aside_loudly(
    town: Town, clock: VirtualClock, ids: Ids, caplog: pytest.LogCaptureFixture, named: str, why: str, *, livemode: bool
) -> None:
    async with town.db.transaction() as session:
        await stripe_accounts.introduce(session, ENVIRONMENT, "acct_1", livemode=False)
    event = {"id": "evt_1", "object": "event", "type": "invoice.paid", "livemode": livemode, "created": 1, "api_version": "x",
             "data": {"object": {"id": "in_1"}}, **({"account": named} if named else {})}  # fmt: skip
    body = json.dumps(event).encode()
    signature = hmac.new(f"whsec_{MARK}".encode(), b"4000000000." + body, hashlib.sha256).hexdigest()
    async with GroupCommit(town.db) as group:
        hooks = StripeWebhooks(
            db=town.db, clock=clock, ids=ids, group=group, environment_secrets=[f"whsec_{MARK}"], unix_now=lambda: 4_000_000_000
        )
        await hooks.receive("", body, f"t=4000000000,v1={signature}")
    async with town.db.reading() as session:
        row = (await session.exec(select(InboxRow))).one()
    assert (row.status, row.attempts) == ("dead", 0)
    assert why in row.error
    [said] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert why in said
    assert row.id in said
