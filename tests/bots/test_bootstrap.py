import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from sqlmodel import select

from bots.bootstrap import Doorman, open_doorman
from bots.foundation import open_database, prepare
from bots.router import Router
from bots.settings import Configuration
from core.commands import CommandReply, ReplyHandle
from core.errors import PermanentError, TransientError
from core.ids import Ids, RandomIds
from core.platform import EventKind, Space
from sandbox.clock import VirtualClock
from sandbox.memory import MemoryAdapter, MemoryWorld
from sandbox.stripe.emulator import StripeEmulator
from storage.inbox import GroupCommit, InboxKind, InboxRow
from storage.invites import InviteRow
from storage.schema import SchemaError
from storage.stripe_accounts import ENVIRONMENT, StripeAccountRow
from storage.webhook_endpoints import ENVIRONMENT_ENDPOINT, WebhookEndpointRow
from tests.bots.bench import configuration


class Installation:
    """Settings, a database file and the world around them: what outlives a process."""

    def __init__(self, folder: Path, clock: VirtualClock, stripe: StripeEmulator, template: Path | None = None) -> None:
        """Begin with an empty folder, or with a database that is up to date, copied from ``template``."""
        if template is not None:
            shutil.copyfile(template, folder / "doorman.db")
        self.clock = clock
        self.world = MemoryWorld()
        self.creator = self.world.person("Cleo")
        self.space: Space = self.world.space("Cleo's place", self.creator)
        self.adapter = MemoryAdapter(self.world, clock)
        self.environment = {
            "DATABASE_URL": f"sqlite:///{folder / 'doorman.db'}",
            "STRIPE_API_URL": stripe.base_url,
            "STRIPE_API_KEY": stripe.api_key,
            "PORT": "0",
        }

    def configuration(self, **changes: str) -> Configuration:
        return configuration(self.adapter, **self.environment, **changes)


@pytest.fixture
async def stripe(clock: VirtualClock) -> AsyncIterator[StripeEmulator]:
    emulator = StripeEmulator(clock, seed=3)
    async with emulator.serve():
        yield emulator


@pytest.fixture
async def installation(tmp_path: Path, clock: VirtualClock, stripe: StripeEmulator, migrated_sqlite: Path) -> Installation:
    return Installation(tmp_path, clock, stripe, migrated_sqlite)


@pytest.fixture
async def bare(tmp_path: Path, installation: Installation) -> Installation:
    """An installation on a machine that has no database."""
    (tmp_path / "doorman.db").unlink()
    return installation


@pytest.fixture
async def doorman(installation: Installation) -> AsyncIterator[Doorman]:
    async with open_doorman(installation.configuration(), clock=installation.clock) as opened:
        await opened.dispatcher.settled()
        yield opened


async def get(url: str) -> tuple[int, Mapping[str, bool]]:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, await answer.json()


async def test_it_starts_on_a_machine_that_has_nothing_and_serves(bare: Installation) -> None:
    async with open_doorman(bare.configuration(), clock=bare.clock) as doorman:
        await doorman.dispatcher.settled()
        assert await get(f"{doorman.base_url}/healthz") == (200, {"alive": True})
        assert await get(f"{doorman.base_url}/readyz") == (200, {"database": True, "memory": True})


async def test_a_platform_that_is_away_makes_it_not_ready_and_nothing_more(doorman: Doorman, installation: Installation) -> None:
    installation.adapter.down = TransientError("away")
    assert await get(f"{doorman.base_url}/readyz") == (503, {"database": True, "memory": False})
    assert (await get(f"{doorman.base_url}/healthz"))[0] == 200


async def test_the_environment_s_account_and_endpoint_are_row_one_and_stay_so(installation: Installation) -> None:
    for _ in range(2):
        async with open_doorman(installation.configuration(), clock=installation.clock) as doorman, doorman.base.db.reading() as session:
            assert [row.id for row in await session.exec(select(StripeAccountRow))] == [ENVIRONMENT]
            assert [row.id for row in await session.exec(select(WebhookEndpointRow))] == [ENVIRONMENT_ENDPOINT]


async def test_a_command_that_was_stored_and_not_done_is_done_at_the_next_start(installation: Installation, ids: Ids) -> None:
    settings = installation.configuration()
    async with open_doorman(settings, clock=installation.clock) as doorman:
        await doorman.dispatcher.settled()
    async with open_database(settings) as db, GroupCommit(db) as group:
        installation.adapter._inbound = Router(group=group, clock=installation.clock, ids=ids)
        request = await installation.adapter.ask(installation.space, installation.creator, "doorman plan list")
    assert request.id not in installation.adapter.answers
    async with open_doorman(settings, clock=installation.clock) as doorman:
        await doorman.dispatcher.settled()
    assert installation.adapter.answers[request.id].title == "No plans yet"


async def test_a_command_asked_right_before_closing_is_answered_now_or_later_but_not_lost(installation: Installation) -> None:
    async with open_doorman(installation.configuration(), clock=installation.clock) as doorman:
        await doorman.dispatcher.settled()
        request = await installation.adapter.ask(installation.space, installation.creator, "doorman plan list")
    async with open_doorman(installation.configuration(), clock=installation.clock) as doorman:
        await doorman.dispatcher.settled()
    assert installation.adapter.answers[request.id].title == "No plans yet"


class Leaving(MemoryAdapter):
    """A platform where somebody joins in the last moment, and where an answer waits until nobody listens any more."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation.world, installation.clock)
        self.space, self.guest = installation.space, installation.world.person("Gus")
        self.asked, self.stopped = asyncio.Event(), asyncio.Event()
        self.listened: bool | None = None

    async def stop_listening(self) -> None:
        if not self.stopped.is_set():
            await self.join(self.space, self.guest)
            await super().stop_listening()
            self.stopped.set()

    async def reply(self, handle: ReplyHandle, reply: CommandReply) -> None:
        self.asked.set()
        await self.stopped.wait()
        self.listened = self.connected
        await super().reply(handle, reply)


async def test_nothing_is_listened_to_while_what_is_under_way_is_finished(installation: Installation) -> None:
    adapter = installation.adapter = Leaving(installation)
    async with open_doorman(installation.configuration(), clock=installation.clock) as doorman:
        request = await adapter.ask(installation.space, installation.creator, "doorman plan list")
        await asyncio.wait_for(adapter.asked.wait(), 10)
        assert doorman.ready()["memory"]
    assert request.id in adapter.answers
    assert adapter.listened is False
    async with open_database(installation.configuration()) as db, db.reading() as session:
        events = (await session.exec(select(InboxRow.type).where(InboxRow.kind == InboxKind.EVENT))).all()
    assert EventKind.MEMBER_JOINED in events, "what came in the last moment is stored"


async def test_when_the_clock_jumps_what_fell_due_is_found(doorman: Doorman, installation: Installation) -> None:
    role = installation.world.thing(installation.space, "Gold member")
    given = {"name": "Gold", "price": "5 USD", "interval": "month", "role": role.external_id}
    await installation.adapter.ask(installation.space, installation.creator, "doorman plan create", **given)
    await installation.adapter.ask(installation.space, installation.creator, "doorman invite", plan="Gold", expires="1 day")
    await doorman.dispatcher.settled()
    await doorman.schedule.settled()
    installation.clock.advance(timedelta(days=2))
    await doorman.schedule.settled()
    async with doorman.base.db.reading() as session:
        assert (await session.exec(select(InviteRow))).one().ended_at == installation.clock.now()


async def test_after_closing_nothing_is_taken_in(installation: Installation) -> None:
    async with open_doorman(installation.configuration(), clock=installation.clock) as doorman:
        url = doorman.base_url
    assert not installation.adapter.connected
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(f"{url}/healthz")


async def test_a_database_that_is_not_up_to_date_is_refused_when_it_may_not_be_changed(bare: Installation) -> None:
    with pytest.raises(SchemaError, match="run: doorman migrate"):
        async with open_doorman(bare.configuration(AUTO_MIGRATE="false"), clock=bare.clock):
            pytest.fail("it must not start")


async def test_a_database_that_is_up_to_date_needs_no_leave_to_change(installation: Installation) -> None:
    settings = installation.configuration(AUTO_MIGRATE="false")
    async with open_database(settings) as db:
        await prepare(db, installation.clock, RandomIds(), migrate=True)
    async with open_doorman(replace(settings), clock=installation.clock) as doorman:
        assert doorman.ready() == {"database": True, "memory": True}


@pytest.mark.parametrize("known", [{"external_id": "acct_another"}, {"livemode": True}])
async def test_a_key_of_another_account_or_mode_is_refused_before_anything_comes_in(
    installation: Installation, stripe: StripeEmulator, known: dict[str, object]
) -> None:
    settings = installation.configuration()
    async with open_database(settings) as db:
        await prepare(db, installation.clock, RandomIds(), migrate=True)
        async with db.transaction() as session:
            row = await session.get_one(StripeAccountRow, ENVIRONMENT)
            row.external_id = stripe.account_id
            row.sqlmodel_update(known)
            session.add(row)
    with pytest.raises(PermanentError, match=f"The Stripe key is of {stripe.account_id}") as refused:
        async with open_doorman(settings, clock=installation.clock):
            pytest.fail("it must not start")
    assert refused.value.code == "wrong_account"
    assert not installation.adapter.connected


async def test_stripe_away_does_not_prevent_the_start(installation: Installation, stripe: StripeEmulator) -> None:
    async with open_doorman(installation.configuration(), clock=installation.clock) as doorman:
        await doorman.schedule.settled()
    stripe.wire.faults.outage("stripe")
    async with open_doorman(installation.configuration(), clock=installation.clock) as doorman:
        assert doorman.ready() == {"database": True, "memory": True}


@pytest.mark.long
async def test_a_stripe_that_accepts_and_says_nothing_does_not_hold_the_start_up(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.bootstrap.IDENTITY_GRACE", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        installation.environment["STRIPE_API_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with asyncio.timeout(10), open_doorman(installation.configuration(), clock=installation.clock) as doorman:
            assert doorman.ready() == {"database": True, "memory": True}
