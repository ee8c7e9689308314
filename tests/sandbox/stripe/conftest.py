from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stripe
from aiohttp import web

from sandbox.clock import VirtualClock
from sandbox.record import Recorder
from sandbox.stripe import StripeEmulator
from sandbox.wire import Wire, serve
from tests.sandbox.judging import shared_record
from tests.sandbox.stripe.shop import Mailbox, Shop


@pytest.fixture(scope="session")
def stripe_record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Every exchange of these tests, held against the vendor's own description at the end, where that is at hand."""
    with shared_record(request, tmp_path_factory, "stripe") as path:
        yield path


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox("")
    app = web.Application()
    app.router.add_post("/webhooks", box.take)
    async with serve(app) as base:
        box.url = f"{base}/webhooks"
        yield box


@pytest.fixture
def wire(stripe_record: Path) -> Iterator[Wire]:
    recorder = Recorder(stripe_record)
    yield Wire(recorder=recorder)
    recorder.close()


@pytest.fixture
async def shop(clock: VirtualClock, mailbox: Mailbox, wire: Wire) -> AsyncIterator[Shop]:
    stripe.enable_telemetry = False
    emulator = StripeEmulator(clock, 1, wire)
    http = stripe.AIOHTTPClient()
    async with emulator.serve() as base, emulator.people() as people:
        client = stripe.StripeClient(emulator.api_key, base_addresses={"api": base}, http_client=http)
        yield Shop(clock, emulator, client, people, mailbox)
        await http.close_async()  # type: ignore[no-untyped-call]  # the package leaves it untyped
