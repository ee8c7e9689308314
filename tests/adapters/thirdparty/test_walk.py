"""A community on the made-up platform sells a plan: the whole program, over HTTP on all sides, and nothing of it knows the platform."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bots.bootstrap import Doorman, open_doorman
from bots.platforms import Platform
from bots.settings import read_settings
from core.ids import PlatformName
from sandbox.browser import Browser
from sandbox.clock import VirtualClock
from sandbox.product import free_port
from sandbox.stripe.emulator import StripeEmulator
from sandbox.town import EVENTS
from tests.adapters.thirdparty.test_installation import OWN, THEIRS
from tests.fixtures.veranda.emulator import House, Veranda

PATIENCE = 20.0


@dataclass
class Street:
    """The vendors, and the product between them."""

    vendor: Veranda
    stripe: StripeEmulator
    doorman: Doorman

    async def settled(self) -> None:
        """Return once Stripe has been heard and nothing is due."""
        async with asyncio.timeout(PATIENCE):
            await self.stripe.webhooks.settled()
            await self.doorman.schedule.settled(PATIENCE)
            await self.doorman.dispatcher.settled(PATIENCE)

    async def ask(self, house: str, user: str, text: str, **options: object) -> Mapping[str, object]:
        """Let somebody type a command and return the answer."""
        reply = await self.vendor.ask(house, user, text, **options)
        await self.settled()
        return self.vendor.answers[reply]


@pytest.fixture
async def street(platforms: dict[PlatformName, Platform], vendor: Veranda, clock: VirtualClock, tmp_path: Path) -> AsyncIterator[Street]:
    stripe, port = StripeEmulator(clock, seed=3), free_port()
    url = f"http://127.0.0.1:{port}"
    vendor.hook = f"{url}/veranda"
    async with vendor.serve() as api_url, stripe.serve() as stripe_url:
        environment = OWN | THEIRS | {
            "PUBLIC_URL": url,
            "PORT": str(port),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'doorman.db'}",
            "STRIPE_API_KEY": stripe.api_key,
            "STRIPE_API_URL": stripe_url,
            "STRIPE_WEBHOOK_SECRET": stripe.create_webhook_endpoint(f"{url}/webhooks/stripe", list(EVENTS)),
            "VERANDA_API_URL": api_url,
        }  # fmt: skip
        async with open_doorman(read_settings(environment, platforms=platforms), clock=clock) as doorman:
            yield Street(vendor, stripe, doorman)


def held(place: House, user: str) -> set[str]:
    """Return the names of the roles somebody has."""
    return {place.roles[role].name for role in place.members.get(user, ())}


async def test_a_community_on_it_sells_a_plan_and_the_payer_holds_the_role_while_it_is_paid_for(
    street: Street, clock: VirtualClock
) -> None:
    vendor, ann, ben = street.vendor, street.vendor.person("Ann"), street.vendor.person("Ben")
    house = vendor.house("Ann's place", ann, "Gold", "Silver")
    await vendor.tell("added", house, ann)
    await street.settled()

    role = vendor.role(house, "Gold")
    await street.ask(house, ann, "doorman plan create", name="Gold", price="9.99 USD", interval="30 days", role=role)
    offered = await street.ask(house, ann, "doorman invite", plan="Gold")
    link = next(word for word in str(offered["text"]).split() if "/j/" in word)

    vendor.visitor = ben
    async with Browser() as browser:
        await browser.open(link)
        await browser.press("Continue with Veranda")
        assert "You join as" in browser.text
        checkout = await browser.press("Continue to payment", follow=False)
    async with street.stripe.people() as people:
        await people.pay(checkout)
    await street.settled()

    assert held(vendor.houses[house], ben) == {"Gold"}
    assert "You're in" in "\n".join(vendor.people[ben].inbox)
    assert "Gold" in str((await street.ask(house, ben, "status"))["text"])

    clock.advance(timedelta(days=31))
    await street.settled()
    assert held(vendor.houses[house], ben) == set()
