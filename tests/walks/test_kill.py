"""The real program as a process of its own, killed with no warning while a fan pays, and started again."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from core.clock import SystemClock
from sandbox.browser import Browser, Missing
from sandbox.discord.people import Person, Server
from sandbox.faults import Fault, FaultPlan
from sandbox.product import Product, free_port, running
from sandbox.town import Town, open_town
from tests.walks.shop import PERMISSIONS, link_in

MOMENTS = (
    "POST /v1/checkout/sessions",
    "WEBHOOK checkout.session.completed",
    "GET /v1/subscriptions/",
    "PUT /guilds/[0-9]+/members/[0-9]+$",
    "PUT /guilds/[0-9]+/members/[0-9]+/roles/",
    "POST /users/@me/channels",
)
"""At each of these calls the product is killed once."""


class KillingPlan(FaultPlan):
    """Kills the product as soon as it makes a certain call."""

    def __init__(self, product: Product) -> None:
        super().__init__()
        self._product = product
        self.moment = ""
        self.killed = asyncio.Event()

    def take(self, service: str, what: str) -> Fault | None:
        if self.moment and re.search(self.moment, what):
            self.moment = ""
            process = self._product._process
            assert process is not None
            process.kill()
            self.killed.set()
        return super().take(service, what)


@dataclass
class Street:
    """A town with the product next door."""

    town: Town
    product: Product
    plan: KillingPlan
    server: Server
    link: str

    async def pays(self, fan: Person) -> None:
        """Go from the link to the payment, as far as pages load."""
        with suppress(aiohttp.ClientError, Missing):
            async with Browser() as browser:
                await browser.open(self.link)
                await browser.open(await fan.authorize(await browser.press("Continue with", follow=False)))
                place = await browser.press("Continue to payment", follow=False)
                if place.startswith(self.town.stripe.base_url):
                    await self.town.cashiers.pay(place)

    async def comes_back(self) -> None:
        """Start the product again, and let a few minutes pass for what it tries again later."""
        await self.product.kill()
        await self.product.start()

    async def until_inside(self, fan: Person) -> None:
        """Let time pass until the role is on."""
        role = self.server.role("Gold")
        for _ in range(20):
            with suppress(TimeoutError):
                await self.server.until_role(fan, role, within=1.0)
                return
            self.town.clock.advance(timedelta(seconds=30))
        raise AssertionError(f"@{fan.name} is still outside:\n{self.product.tail()}")


async def opened(town: Town, product: Product) -> Street:
    """Let a creator open their server and make a link."""
    people = town.discord.people
    ann = people.user("ann")
    server = people.guild(ann, "Ann's place", ["Gold"])
    await people.add_bot(server, PERMISSIONS)
    for _ in range(50):
        reply = await ann.command(server, "doorman plan create", name="Gold", price="9.99 USD", interval="month", role=server.role("Gold"))
        if "getting to know" not in reply.words:
            break
    plan = KillingPlan(product)
    town.wire.faults = plan
    return Street(town, product, plan, server, link_in(await ann.command(server, "doorman invite", plan="Gold")))


@pytest.mark.long
@pytest.mark.timeout(150)
async def test_killed_at_any_moment_of_the_payment_the_fan_ends_inside_and_has_paid_once(tmp_path: Path, record: Path | None) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with open_town(url, start=SystemClock().now(), record=record, limits="off") as town:
        environment = town.environment(f"sqlite:///{tmp_path}/doorman.db")
        async with running(environment, tmp_path / "log") as product:
            street = await opened(town, product)
            for number, moment in enumerate(MOMENTS, start=1):
                fan = town.discord.people.user(f"ben{number}")
                street.plan.moment = moment
                await street.pays(fan)
                async with asyncio.timeout(20):
                    await street.plan.killed.wait()
                street.plan.killed.clear()
                await street.comes_back()
                if len([one for one in town.stripe.account.table("charge") if one["paid"]]) < number:
                    await street.pays(fan)
                await street.until_inside(fan)
                assert len([one for one in town.stripe.account.table("charge") if one["paid"]]) == number, moment
                assert len(town.stripe.account.table("subscription")) == number, moment
