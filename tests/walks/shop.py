"""A creator with a server and something to sell, and fans who buy it: each does what a person does."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.browser import Browser
from sandbox.discord.people import Person, Server
from sandbox.discord.replies import Reply
from sandbox.discord.roles import Role
from sandbox.stripe.people import GOOD_CARD
from tests.walks.stage import Stage

PERMISSIONS = 1 << 28 | 1 << 0
"""Manage Roles and Create Invite."""
FAILS_LATER = "4000000000000341"
"""A card that pays once and is declined on renewals."""
BANK, EMPTY_BANK = "000123456789", "000111111116"
"""Bank accounts that pay days later, or do not."""
_LINK = re.compile(r"http://[^\s`\"')>]+/j/[\w-]+")


def link_in(reply: Reply) -> str:
    """Return the paid invite link an answer holds."""
    found = _LINK.search(reply.words) or _LINK.search(" ".join(str(one.get("url", "")) for one in reply.buttons))
    assert found, reply.words
    return found[0]


@dataclass
class Shop:
    """One creator's server."""

    stage: Stage
    creator: Person
    server: Server

    def role(self, name: str = "Gold") -> Role:
        """Return a role of the server."""
        return self.server.role(name)

    async def command(self, words: str, **options: Any) -> Reply:  # noqa: ANN401 - whatever a command takes
        """Let the creator type a command."""
        reply = await self.creator.command(self.server, words, **options)
        await self.stage.settled()
        return reply

    async def plan(
        self,
        name: str = "Gold",
        /,
        *,
        role: str = "Gold",
        price: str = "9.99 USD",
        interval: str = "month",
        **more: Any,  # noqa: ANN401
    ) -> Reply:
        """Make a plan."""
        return await self.command("doorman plan create", name=name, price=price, interval=interval, role=self.role(role), **more)

    async def link(self, plan: str = "Gold", /, **options: Any) -> str:  # noqa: ANN401
        """Make a paid invite link."""
        return link_in(await self.command("doorman invite", plan=plan, **options))

    async def sells(self, name: str = "Gold", /, **options: Any) -> str:  # noqa: ANN401
        """Make a plan and a link that sells it."""
        await self.plan(name, **options)
        return await self.link(name)

    def holds(self, fan: Person) -> frozenset[str]:
        """Return the names of the roles somebody holds, as Discord has them."""
        return self.server.roles_of(fan) - {"@everyone"}

    def heard(self) -> str:
        """Return all that was written to the creator directly."""
        return words_to(self.creator)

    # fans

    def fan(self, name: str, *, inside: bool = False) -> Person:
        """Create somebody, who is in the server already when ``inside``."""
        person = self.stage.town.discord.people.user(name)
        if inside:
            person.join(self.server, self.server.invite())
        return person

    @asynccontextmanager
    async def at_the_offer(self, fan: Person, link: str) -> AsyncIterator[Browser]:
        """Open a link, continue with Discord, and stand before the button that leads to payment."""
        async with Browser() as browser:
            await browser.open(link)
            if "You join as" not in browser.text:
                away = await browser.press("Continue with", follow=False)
                await browser.open(await fan.authorize(away))
            yield browser

    @asynccontextmanager
    async def at_the_page(self, address: str) -> AsyncIterator[Browser]:
        """Stand before a page."""
        async with Browser() as browser:
            await browser.open(address)
            yield browser

    async def checkout(self, fan: Person, link: str) -> str:
        """Go as far as Stripe's checkout page and return its address."""
        async with self.at_the_offer(fan, link) as browser:
            return await browser.press("Continue to payment", follow=False)

    async def buys(self, fan: Person, link: str, card: str = GOOD_CARD, **typed: str) -> str:
        """Go all the way and return the welcome page's words once everything has settled."""
        welcome = await self.stage.town.cashiers.pay(await self.checkout(fan, link), card, **typed)
        await self.stage.settled()
        return await page(welcome)

    async def portal(self, fan: Person) -> str:
        """Return the address of a fan's customer portal, asked for by command."""
        reply = await fan.command(self.server, "manage")
        return reply.link("Open")

    async def cancels(self, fan: Person) -> None:
        """Let a fan cancel at the end of the period, on the portal's page."""
        await self.stage.town.cashiers.cancel_subscription(await self.portal(fan))
        await self.stage.settled()


def words_to(person: Person) -> str:
    """Return all that was written to somebody directly."""
    return "\n".join(message.words for message in person.inbox())


async def page(address: str) -> str:
    """Return what a page says."""
    async with Browser() as browser:
        return await browser.open(address)


async def open_shop(stage: Stage, *roles: str, name: str = "Ann", permissions: int = PERMISSIONS) -> Shop:
    """Let a creator make a server, lowest role first, and add the bot to it."""
    people = stage.town.discord.people
    creator = people.user(name)
    server = people.guild(creator, f"{name}'s place", roles or ("Gold",))
    await people.add_bot(server, permissions)
    await stage.settled()
    return Shop(stage, creator, server)
