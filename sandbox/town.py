"""The whole sandbox at once: every emulator on its own port, one clock, one fault plan, and what the product needs to live in it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.cast import Cast
from sandbox.clock import VirtualClock
from sandbox.control import Control
from sandbox.discord.emulator import DiscordEmulator, Limits, Served
from sandbox.mark import MARK
from sandbox.playing import Playing
from sandbox.record import Recorder
from sandbox.slack import Served as SlackServed
from sandbox.slack import SlackEmulator
from sandbox.stripe.emulator import StripeEmulator
from sandbox.stripe.people import StripePeople
from sandbox.wire import Wire, serve

EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
)
"""What the operator subscribes the endpoint to, as the README says."""


@dataclass(frozen=True, slots=True)
class Town:
    """A running sandbox. ``environment`` is what the product is started with; only its database is left to choose."""

    clock: VirtualClock
    wire: Wire
    stripe: StripeEmulator
    discord: DiscordEmulator
    served: Served
    slack: SlackEmulator
    slack_served: SlackServed
    cashiers: StripePeople
    cast: Cast
    product_url: str
    control_url: str
    webhook_secret: str

    def environment(self, database_url: str) -> Mapping[str, str]:
        """Return the product's settings."""
        return {
            "DATABASE_URL": database_url,
            "PUBLIC_URL": self.product_url,
            "HOST": "127.0.0.1",
            "PORT": self.product_url.rpartition(":")[2],
            "SECRET_KEY": f"sandbox-key-that-guards-nothing-worth-having-{MARK}",
            "STRIPE_API_KEY": self.stripe.api_key,
            "STRIPE_WEBHOOK_SECRET": self.webhook_secret,
            "STRIPE_API_URL": self.stripe.base_url,
            "DISCORD_TOKEN": self.served.bot_token,
            "DISCORD_CLIENT_ID": self.served.client_id,
            "DISCORD_CLIENT_SECRET": self.served.client_secret,
            "DISCORD_MEMBERS_INTENT": "true" if self.discord.bot_members_intent else "false",
            "DISCORD_API_URL": self.served.api_url,
            "DISCORD_GATEWAY_URL": self.served.gateway_url,
            "SLACK_SIGNING_SECRET": self.slack_served.signing_secret,
            "SLACK_CLIENT_ID": self.slack_served.client_id,
            "SLACK_CLIENT_SECRET": self.slack_served.client_secret,
            "SLACK_API_URL": self.slack_served.api_url,
            "CLOCK_URL": self.control_url.replace("http://", "ws://") + "/clock",
        }

    def introduction(self) -> tuple[str, ...]:
        """Return what whoever runs the sandbox by itself is to know, a line each."""
        servers = ", ".join(f"{server.name} of {server.owner_name}" for server in self.cast.servers())
        play = f"Play people: {self.control_url}/people. Move time: POST {self.control_url}/advance."
        return (
            f"Servers: {servers}. Once Doorman runs with the settings above, add the bot: open {self.cast.install_url}",
            f"or say curl -X POST {self.control_url}/servers/Kitchen/bot",
            f"{play} Break things: POST {self.control_url}/faults. docs/sandbox.md shows how. Ctrl-C stops.",
        )


@asynccontextmanager
async def open_town(
    product_url: str,
    *,
    start: datetime,
    flowing: bool = True,
    seed: int = 0,
    record: Path | None = None,
    latency: float = 0.0,
    limits: Limits = "real",
) -> AsyncIterator[Town]:
    """Start the sandbox around a product that is, or will be, at ``product_url``; ``latency`` is in real seconds for each call."""
    async with AsyncExitStack() as stack:
        clock = VirtualClock(start, flowing=flowing)
        recorder = Recorder(record)
        stack.callback(recorder.close)
        wire = Wire(recorder=recorder, latency=latency)
        stripe = StripeEmulator(clock, seed, wire)
        discord = DiscordEmulator(clock, seed, wire, limits=limits, redirect_uris=[f"{product_url}/oauth/discord/callback"])
        discord.bot_members_intent = True
        callbacks = [f"{product_url}/slack/oauth_redirect", f"{product_url}/oauth/slack/callback"]
        slack = SlackEmulator(clock, seed, wire, limits=limits, redirect_uris=callbacks, request_url=f"{product_url}/slack/events")
        await stack.enter_async_context(stripe.serve())
        served = await stack.enter_async_context(discord.serve())
        slack_served = await stack.enter_async_context(slack.serve())
        cashiers = await stack.enter_async_context(stripe.people())
        cast = await stack.enter_async_context(Cast(discord, served, cashiers))
        control_url = await stack.enter_async_context(serve(Control(clock, wire, Playing(cast).routes()).app()))
        secret = stripe.create_webhook_endpoint(f"{product_url}/webhooks/stripe", list(EVENTS))
        yield Town(clock, wire, stripe, discord, served, slack, slack_served, cashiers, cast, product_url, control_url, secret)
