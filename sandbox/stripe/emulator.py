"""The whole of the sandbox's Stripe: model, API, hosted pages and webhooks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from aiohttp import web

from core.clock import SystemClock
from sandbox.clock import VirtualClock
from sandbox.stripe import events, pages, shell
from sandbox.stripe.model import StripeModel
from sandbox.stripe.people import StripePeople
from sandbox.stripe.policy import Policy
from sandbox.stripe.resource import Resource
from sandbox.stripe.webhooks import Webhooks
from sandbox.wire import Wire, serve, vendor_middleware

HEARTBEAT = 0.25
"""Real seconds between looks at a flowing clock for what fell due."""


class StripeEmulator:
    """A Stripe of one's own. The default account and its key follow from ``seed``."""

    def __init__(self, clock: VirtualClock, seed: int = 0, wire: Wire | None = None, policy: Policy | None = None) -> None:
        self.clock = clock
        self.wire = wire or Wire()
        self.model = StripeModel(clock, seed, policy)
        self.webhooks = Webhooks(clock, SystemClock(), self.wire)
        self.model.on_event(self.webhooks.send)
        self.api_key = self.model.api_key
        self.account = self.model.default
        self.base_url = ""
        clock.on_jump(self._jumped)

    @property
    def account_id(self) -> str:
        """The id of the default account."""
        return self.account.id

    def _jumped(self, _now: datetime) -> None:
        self.model.tick()
        self.webhooks.release()

    def create_webhook_endpoint(self, url: str, enabled_events: list[str] | None = None, *, connect: bool = False) -> str:
        """Register ``url`` for the default account and return the signing secret."""
        params = {"url": url, "enabled_events": enabled_events or ["*"], "connect": connect}
        secret: str = events.create_endpoint(self.account, params).hidden["secrets"][0]
        return secret

    def redeliver(self, event_id: str) -> None:
        """Send an event again, as the dashboard's "resend" does; raise KeyError when there is no such event."""
        for account in self.model.accounts.values():
            event = account.table("event").find(event_id)
            if event is not None:
                self.webhooks.redeliver(account, event)
                return
        raise KeyError(event_id)

    def roll_secret(self, url: str) -> str:
        """Give the endpoint at ``url`` a new secret and return it; the old one stays in force until :meth:`retire_secret`."""
        endpoint = self._endpoint(url)
        endpoint.hidden["secrets"].insert(0, f"whsec_{self.model.ids.secret(32)}")
        return str(endpoint.hidden["secrets"][0])

    def retire_secret(self, url: str) -> None:
        """End the rolling of a secret: sign with the newest only."""
        del self._endpoint(url).hidden["secrets"][1:]

    def _endpoint(self, url: str) -> Resource:
        return next(row for row in self.account.table("webhook_endpoint") if row["url"] == url)

    def people(self) -> StripePeople:
        """Return the people who use the pages being served, and the creator at the dashboard."""
        return StripePeople(self.base_url, self.api_key)

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[str]:
        """Serve API and pages on 127.0.0.1 and deliver webhooks; yields the base URL, without a trailing slash."""
        app = web.Application(middlewares=[vendor_middleware("stripe", shell.PREFIX, self.wire, shell.fault_answer, keep_prefix=True)])
        app.add_routes([*shell.api_routes(self.model), *pages.routes(self.model, self.webhooks)])
        async with self.webhooks, serve(app, port) as base:
            self.base_url = base
            self.model.serve_pages_at(base)
            self.webhooks.spawn(self._beat())
            yield base

    async def _beat(self) -> None:
        while True:
            self.model.tick()
            await asyncio.sleep(HEARTBEAT)
