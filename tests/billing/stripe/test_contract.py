from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from stripe.params import RefundCreateParams

from billing.stripe.accounts import GatewayPool
from billing.stripe.client import HttpClient, make_client
from billing.stripe.gateway import StripeGateway
from core.money import Money
from sandbox.clock import VirtualClock
from sandbox.stripe.emulator import StripeEmulator
from sandbox.stripe.people import StripePeople
from tests.billing.gateway_contract import GatewayContract


class EmulatedTill:
    """The gateway over a real socket; people on the emulator's pages; the creator on the API with a client of their own."""

    def __init__(self, emulator: StripeEmulator, gateway: StripeGateway, people: StripePeople) -> None:
        self.emulator = emulator
        self.gateway = gateway
        self._people = people

    def now(self) -> datetime:
        return self.emulator.clock.now()

    async def advance(self, delta: timedelta) -> None:
        self.emulator.clock.advance(delta)

    async def pay(self, url: str) -> None:
        await self._people.pay(url)

    async def refund(self, payment_intent: str, amount: Money | None = None) -> None:
        http = HttpClient()
        client = make_client(self.emulator.api_key, http=http, api_url=self.emulator.base_url)
        params: RefundCreateParams = {"payment_intent": payment_intent}
        if amount is not None:
            params["amount"] = amount.minor
        try:
            await client.v1.refunds.create_async(params)
        finally:
            await http.close_async()


@pytest.fixture
async def till() -> AsyncIterator[EmulatedTill]:
    clock = VirtualClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    emulator = StripeEmulator(clock, seed=7)
    async with emulator.serve() as url, GatewayPool(clock, api_url=url, retries=0) as pool, StripePeople(url) as people:
        yield EmulatedTill(emulator, pool.gateway([emulator.api_key]), people)


class TestStripeGateway(GatewayContract):
    pass
