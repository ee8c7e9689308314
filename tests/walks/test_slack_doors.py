"""One person on Discord and on Slack: one payment opens both doors, each platform stands for itself, and the end closes both."""

import re
from dataclasses import dataclass

import pytest

from sandbox.browser import Browser
from sandbox.discord.people import Person as DiscordPerson
from sandbox.faults import Fault
from sandbox.slack.person import Person
from tests.walks.club import Club, found_workspace, open_club, words_to
from tests.walks.shop import Shop, open_shop
from tests.walks.stage import Stage

GUEST_BUTTON = "Pay first, join after"


@dataclass
class House:
    """A community with a Discord server and a Slack workspace; Gold opens a role there and a channel here."""

    stage: Stage
    shop: Shop
    club: Club
    link: str

    def has(self, ben: DiscordPerson, here: Person) -> tuple[bool, bool]:
        """Return whether somebody holds Gold on Discord, and on Slack."""
        return "Gold" in self.shop.holds(ben), here.reads(self.club.gold)

    async def code(self, ben: DiscordPerson) -> str:
        """Return a code made on Discord for linking another account."""
        found = re.search(r"/claim code:(\S+?)`? ", (await ben.command(self.shop.server, "link")).words + " ")
        assert found is not None
        return found[1]

    async def links(self, ben: DiscordPerson, here: Person) -> None:
        """Let somebody use the code in Slack."""
        said = await self.club.command(f"claim {await self.code(ben)}", by=here)
        assert "Welcome to" in said.words, said.words


@pytest.fixture
async def house(sqlite_stage: Stage) -> House:
    """The workspace came by the link of ``/doorman setup``."""
    shop = await open_shop(sqlite_stage, "Gold")
    link = await shop.sells(interval="30 days")
    club = Club(sqlite_stage, *found_workspace(sqlite_stage.town))
    attach = await shop.command("doorman setup", attach=True)
    assert "Ann's place" in await club.installs(attach.button("Add Slack")["url"])
    club.creator.add_app(club.gold)
    await club.command("plan add Gold #gold")
    return House(sqlite_stage, shop, club, link)


async def paid_on_discord(house: House) -> tuple[DiscordPerson, Person]:
    """Let Ben pay on Discord; he is in the workspace and has not linked yet."""
    ben, here = house.shop.fan("ben"), house.club.fan("ben")
    await house.shop.buys(ben, house.link)
    return ben, here


async def test_one_payment_opens_both_doors_and_its_end_closes_both(house: House) -> None:
    ben, here = await paid_on_discord(house)
    assert house.has(ben, here) == (True, False)
    await house.links(ben, here)
    assert house.has(ben, here) == (True, True)
    assert len(house.stage.charges()) == 1
    await house.stage.advance(days=31)
    assert house.has(ben, here) == (False, False)


async def test_a_code_is_good_once_and_for_one_account_in_the_workspace(house: House) -> None:
    ben, here = await paid_on_discord(house)
    code = await house.code(ben)
    await house.club.command(f"claim {code}", by=here)
    eve = house.club.fan("eve")
    again = await house.club.command(f"claim {code}", by=eve)
    assert "does not work here" in again.words
    assert not eve.reads(house.club.gold)


async def test_a_second_slack_account_comes_in_only_once_the_first_is_out(house: House) -> None:
    ben, here = await paid_on_discord(house)
    await house.links(ben, here)
    other = house.club.fan("ben-at-work")
    said = await house.club.command(f"claim {await house.code(ben)}", by=other)
    assert "Your account is being changed" in said.words
    assert (here.reads(house.club.gold), other.reads(house.club.gold)) == (False, True)
    moments = house.stage.town.slack.model.hold_moments
    left, came = (moments[house.club.gold.id, one.id(house.club.workspace)] for one in (here, other))
    assert (left[0], came[0]) == (False, True)
    assert left[1] < came[1]
    third = house.club.fan("ben-again")
    said = await house.club.command(f"claim {await house.code(ben)}", by=third)
    assert "You changed your account here" in said.words
    assert not third.reads(house.club.gold)


async def test_an_account_on_the_page_is_proven_by_signing_in_on_slack(house: House) -> None:
    ben, here = await paid_on_discord(house)
    offered = await ben.command(house.shop.server, "link")
    async with Browser() as browser:
        await browser.open(offered.button("Also join on Slack")["url"])
        consent = await browser.press("Continue with Slack", follow=False)
        shown = await browser.open(await here.authorize(consent, house.club.workspace))
    await house.stage.settled()
    assert "linked" in shown
    assert house.has(ben, here) == (True, True)


async def test_slack_down_holds_up_nothing_on_discord_and_is_made_up_for(house: House) -> None:
    ben, here = await paid_on_discord(house)
    await house.links(ben, here)
    async with house.stage.town.slack.outage():
        await house.stage.advance(days=31)
        assert house.has(ben, here) == (False, True)
        await house.shop.buys(eve := house.shop.fan("eve"), house.link)
        assert "Gold" in house.shop.holds(eve)
    await house.stage.until(lambda: not here.reads(house.club.gold), minutes=10)
    assert house.stage.town.slack.rest.count("conversations.kick") >= 1


async def test_discord_down_holds_up_nothing_on_slack_and_is_made_up_for(house: House) -> None:
    ben, here = await paid_on_discord(house)
    await house.links(ben, here)
    plan = house.stage.town.wire.faults
    fault: Fault = plan.outage("discord")
    await house.stage.advance(days=31)
    assert house.has(ben, here) == (True, False)
    plan.lift(fault)
    await house.stage.until(lambda: not house.shop.holds(ben), minutes=10)


@pytest.mark.parametrize("verified", [True, False])
async def test_whoever_paid_before_joining_is_asked_by_their_verified_address_and_let_in_once_they_say_yes(
    sqlite_stage: Stage,
    verified: bool,  # noqa: FBT001 - two ways of one walk
) -> None:
    club = await open_club(sqlite_stage)
    link = await club.sells()
    ben = sqlite_stage.town.slack.people.person("ben", "ben@example.org")
    ben.account.email_verified = verified
    async with Browser() as browser:
        await browser.open(link)
        await browser.press(GUEST_BUTTON)
        checkout = await browser.press("Continue to payment", follow=False)
    await sqlite_stage.town.cashiers.pay(checkout, email="ben@example.org")
    await sqlite_stage.settled()

    ben.accept(club.creator.invite_link(club.workspace))
    await sqlite_stage.settled()
    assert not ben.reads(club.gold), "an e-mail address alone opens nothing"
    said = words_to(ben, club.workspace)
    if not verified:
        assert said == ""
        return
    found = re.search(r"/doorman claim code:(\S+?)`? ", said + " ")
    assert found is not None, said
    await club.command(f"claim {found[1]}", by=ben)
    assert ben.reads(club.gold)
