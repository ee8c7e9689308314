"""A creator with a Slack workspace and something to sell in it, and fans who buy it: each does what a person does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sandbox.browser import Browser
from sandbox.slack.channels import Channel
from sandbox.slack.person import Person
from sandbox.slack.plans import Plan
from sandbox.slack.replies import Reply
from sandbox.slack.workspaces import Workspace
from sandbox.stripe.people import GOOD_CARD
from sandbox.town import Town
from tests.walks.shop import page
from tests.walks.stage import Stage


@dataclass
class Club:
    """One creator's workspace, and the private channel that is sold."""

    stage: Stage
    creator: Person
    workspace: Workspace
    gold: Channel

    async def command(self, words: str, *, by: Person | None = None) -> Reply:
        """Let the creator, or somebody else, type something after ``/doorman``."""
        reply = await (by or self.creator).command(self.workspace, f"/doorman {words}")
        await self.stage.settled()
        return reply

    async def installs(self, url: str = "") -> str:
        """Let the creator add the app by the product's own page, or by a link; returns what the last page says."""
        landing = await self.creator.install(url or f"{self.stage.town.product_url}/slack/install", self.workspace)
        await self.stage.settled()
        return landing.words

    async def sells(self, *opens: str, plan: str = "Gold", interval: str = "month") -> str:
        """Make a plan that opens the channel and whatever else, and return the link that sells it."""
        self.creator.add_app(self.gold)
        made = await self.command(f'plan create {plan} "9.99 USD" {interval} #{self.gold.name}')
        assert plan in made.words, made.words
        for one in opens:
            await self.command(f"plan add {plan} {one}")
        return link_in(await self.command(f"invite {plan}"))

    def fan(self, name: str) -> Person:
        """Create somebody who is in the workspace."""
        person = self.stage.town.slack.people.person(name)
        self.stage.town.slack.people.join(person, self.workspace)
        return person

    @asynccontextmanager
    async def at_the_offer(self, fan: Person, link: str) -> AsyncIterator[Browser]:
        """Open a link, sign in with Slack, and stand before the button that leads to payment."""
        async with Browser() as browser:
            await browser.open(link)
            away = await browser.press("Continue with Slack", follow=False)
            await browser.open(await fan.authorize(away, self.workspace))
            yield browser

    async def buys(self, fan: Person, link: str, card: str = GOOD_CARD) -> str:
        """Go all the way and return the welcome page's words once everything has settled."""
        async with self.at_the_offer(fan, link) as browser:
            checkout = await browser.press("Continue to payment", follow=False)
        welcome = await self.stage.town.cashiers.pay(checkout, card)
        await self.stage.settled()
        return await page(welcome)

    def heard(self) -> str:
        """Return all that was written to the creator directly."""
        return words_to(self.creator, self.workspace)


def link_in(reply: Reply) -> str:
    """Return the paid invite link an answer holds."""
    found = next((word for word in reply.words.replace("<", " ").replace(">", " ").split() if "/j/" in word), "")
    assert found, reply.words
    return found


def words_to(person: Person, workspace: Workspace) -> str:
    """Return all that the app wrote to somebody directly."""
    return "\n".join(seen.words for seen in person.dms(workspace))


def found_workspace(town: Town, plan: Plan = Plan.PRO, name: str = "Ann's club") -> tuple[Person, Workspace, Channel]:
    """Return a creator, their workspace and its private channel."""
    people = town.slack.people
    ann = people.find("ann") or people.person("ann")
    workspace = people.workspace(ann, name, plan, "Ann's empire" if plan is Plan.ENTERPRISE else None)
    return ann, workspace, ann.create_channel(workspace, "gold", private=True)


async def open_club(stage: Stage, plan: Plan = Plan.PRO) -> Club:
    """Let a creator make a workspace and add the app."""
    club = Club(stage, *found_workspace(stage.town, plan))
    await club.installs()
    return club


async def club_of(stage: Stage) -> Club:
    """Let the creator who was there before the product started (see :func:`found_workspace`) add the app to their first workspace."""
    creator = stage.town.slack.people.find("ann")
    workspace = next(iter(stage.town.slack.model.workspaces.values()))
    assert creator is not None
    club = Club(stage, creator, workspace, workspace.channel_named("gold"))
    await club.installs()
    return club
