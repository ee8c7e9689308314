"""What the emulator signs, sends, and remembers as not delivered, read with our own eyes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from billing.stripe.accounts import GatewayPool
from billing.stripe.events import SUBSCRIBED
from billing.stripe.gateway import StripeGateway
from billing.stripe.signature import BadWebhook, ParsedEvent, verify
from core.clock import SystemClock
from core.money import Money
from core.payments import CheckoutRequest
from sandbox.clock import VirtualClock
from sandbox.stripe.emulator import StripeEmulator
from sandbox.stripe.people import StripePeople
from sandbox.wire import serve

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TIP = CheckoutRequest(
    reference="tip-1",
    kind="tip",
    recurring=False,
    success_url="https://door.example/t/1",
    cancel_url="https://door.example/",
    expires_at=START + timedelta(hours=1),
    amount=Money(500, "USD"),
    name="A tip for Ann",
)


class Mailbox:
    """An endpoint that keeps what it is sent, and answers with ``status``."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[tuple[bytes, str | None]] = []

    async def receive(self, request: web.Request) -> web.Response:
        self.received.append((await request.read(), request.headers.get("Stripe-Signature")))
        return web.Response(status=self.status)


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, str]]:
    mailbox = Mailbox()
    app = web.Application()
    app.router.add_post("/hook", mailbox.receive)
    async with serve(app) as url:
        yield mailbox, f"{url}/hook"


@pytest.fixture
async def emulator() -> AsyncIterator[StripeEmulator]:
    emulator = StripeEmulator(VirtualClock(START), seed=7)
    async with emulator.serve():
        yield emulator


@pytest.fixture
async def gateway(emulator: StripeEmulator) -> AsyncIterator[StripeGateway]:
    async with GatewayPool(emulator.clock, api_url=emulator.base_url, retries=0) as pool:
        yield pool.gateway([emulator.api_key])


async def tip(emulator: StripeEmulator, gateway: StripeGateway) -> str:
    session = await gateway.create_checkout(TIP, key="checkout:tip-1")
    async with StripePeople(emulator.base_url) as people:
        await people.pay(session.url)
    return session.external_id


def read(received: tuple[bytes, str | None], *secrets: str) -> ParsedEvent:
    return verify(*received, secrets, SystemClock().now().timestamp())


async def test_a_delivered_event_says_what_to_fetch(emulator: StripeEmulator, gateway: StripeGateway, mailbox: tuple[Mailbox, str]) -> None:
    box, url = mailbox
    secret = emulator.create_webhook_endpoint(url, list(SUBSCRIBED))

    session = await tip(emulator, gateway)
    await emulator.webhooks.settled()
    (event,) = (read(each, secret) for each in box.received)

    assert (event.type, event.object_id, event.livemode, event.account) == ("checkout.session.completed", session, False, "")
    assert event.created == START
    assert (await gateway.checkout(event.object_id)).reference == "tip-1"


async def test_another_endpoints_secret_does_not_open_it(
    emulator: StripeEmulator, gateway: StripeGateway, mailbox: tuple[Mailbox, str]
) -> None:
    box, url = mailbox
    emulator.create_webhook_endpoint(url, list(SUBSCRIBED))

    await tip(emulator, gateway)
    await emulator.webhooks.settled()

    with pytest.raises(BadWebhook):
        read(box.received[0], "whsec_of_another")


async def test_what_was_not_delivered_is_found_and_what_was_is_not(
    emulator: StripeEmulator, gateway: StripeGateway, mailbox: tuple[Mailbox, str]
) -> None:
    box, url = mailbox
    box.status = 410
    emulator.create_webhook_endpoint(url, list(SUBSCRIBED))

    session = await tip(emulator, gateway)
    missed = [event async for event in gateway.events(START, SUBSCRIBED, undelivered=True)]
    box.status = 200
    emulator.clock.advance(timedelta(hours=2))
    await emulator.webhooks.settled()
    later = [event async for event in gateway.events(START, SUBSCRIBED, undelivered=True)]
    every = [event async for event in gateway.events(START, SUBSCRIBED, undelivered=False)]

    assert [(event.type, event.object_id) for event in missed] == [("checkout.session.completed", session)]
    assert later == []
    assert [event.external_id for event in every] == [event.external_id for event in missed]
