"""A shop on the emulator: the vendor's own client, the people who pay, and a mailbox for webhooks."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import stripe
from aiohttp import web

from sandbox.clock import VirtualClock
from sandbox.stripe import StripeEmulator, StripePeople

SUCCESS = "http://shop.invalid/welcome?session={CHECKOUT_SESSION_ID}"
TOLERANCE = 300


@dataclass
class Mailbox:
    """What arrived, in order. ``failing`` lets that many deliveries be refused first."""

    url: str
    secret: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    failing: int = 0

    async def take(self, request: web.Request) -> web.Response:
        body, header = await request.read(), request.headers["Stripe-Signature"]
        if self.failing:
            self.failing -= 1
            return web.Response(status=500)
        if self.secret:
            stripe.WebhookSignature.verify_header(body.decode(), header, self.secret, TOLERANCE)
        self.events.append(json.loads(body))
        self.headers.append(header)
        return web.Response()

    def types(self) -> list[str]:
        return [event["type"] for event in sorted(self.events, key=lambda event: event["created"])]


@dataclass
class Shop:
    clock: VirtualClock
    emulator: StripeEmulator
    api: stripe.StripeClient
    people: StripePeople
    mailbox: Mailbox

    async def price(self, amount: int = 999, interval: str | None = "month", *, currency: str = "usd") -> str:
        product = await self.api.v1.products.create_async({"name": "Gold"})
        params: Any = {"product": product.id, "unit_amount": amount, "currency": currency}
        if interval:
            params["recurring"] = {"interval": interval}
        return (await self.api.v1.prices.create_async(params)).id

    async def session(self, price: str, **params: object) -> stripe.checkout.Session:
        given: Any = {"mode": "subscription", "line_items": [{"price": price, "quantity": 1}], "success_url": SUCCESS, **params}
        return await self.api.v1.checkout.sessions.create_async(given)

    async def subscribe(self, card: str = "4242424242424242", price: str | None = None, **params: object) -> stripe.Subscription:
        session = await self.session(price or await self.price(), **params)
        assert session.url
        await self.people.pay(session.url, card)
        paid = await self.api.v1.checkout.sessions.retrieve_async(session.id)
        return await self.subscription(str(paid.subscription))

    async def subscription(self, identifier: str) -> stripe.Subscription:
        return await self.api.v1.subscriptions.retrieve_async(identifier)

    async def pass_time(self, **delta: float) -> None:
        self.clock.advance(timedelta(**delta))
        await self.emulator.webhooks.settled()

    async def listen(self, *types: str) -> None:
        """Send these events (all, when none is named) to the mailbox from now on."""
        await self.emulator.webhooks.settled()
        self.mailbox.secret = self.emulator.create_webhook_endpoint(self.mailbox.url, list(types) or None)

    async def portal(self, customer: str) -> str:
        session = await self.api.v1.billing_portal.sessions.create_async({"customer": customer, "return_url": "http://shop.invalid/"})
        return session.url
