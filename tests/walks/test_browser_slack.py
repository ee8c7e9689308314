"""Slack's side of the story in a real browser: the app is added, and somebody who is not inside yet pays, comes in and proves it."""

import pytest
from playwright.async_api import expect

from sandbox.slack.plans import Plan
from tests.walks.chromium import DESKTOP, PHONE, needs_chromium, screen
from tests.walks.club import Club, found_workspace, link_in, open_club
from tests.walks.stage import Stage
from tests.walks.test_browser import GOOD

pytestmark = [needs_chromium, pytest.mark.screenshots]


async def test_an_owner_adds_the_app_from_a_page(sqlite_stage: Stage) -> None:
    club = Club(sqlite_stage, *found_workspace(sqlite_stage.town, Plan.FREE, "Ann's Pantry"))
    async with screen(DESKTOP) as owner:
        await owner.page.goto(f"{sqlite_stage.town.product_url}/slack/install")
        await owner.press("Ann")
        await owner.shows("Doorman is requesting permission to access a workspace", "slack-install")
        await owner.press("Allow")
        await owner.shows("I am in Ann's Pantry", "slack-installed")
    await sqlite_stage.settled()
    assert "plan create" in club.heard()


@pytest.mark.long
async def test_somebody_outside_pays_comes_in_by_the_creator_s_link_and_proves_who_they_are(sqlite_stage: Stage) -> None:
    club = await open_club(sqlite_stage, Plan.FREE)
    sqlite_stage.stripe.name = "Ann's Pantry"
    way_in = club.creator.invite_link(club.workspace)
    assert "is set up" in (await club.command(f"setup invite_link:{way_in}")).words
    await club.sells()
    link = link_in(await club.command("invite Gold"))
    sol = sqlite_stage.town.slack.people.person("sol")
    async with screen(PHONE) as fan:
        await fan.page.goto(link)
        await fan.shows("Gold", "slack-offer")
        await fan.press("Pay first, join after")
        await fan.shows("Gold", "slack-guest")
        await fan.press("Continue to payment")
        await fan.type({"E-mail": "sol@example.com", "Name": "Sol", "Card number": GOOD})
        await fan.press("Subscribe 9.99 USD")
        await fan.shows("You are paid. One step is yours", "slack-welcome")
        welcome = fan.page.url
        await fan.press("Get a code to type inside instead")
        await fan.shows("Your code")  # no picture: it is another each time
        assert await fan.page.get_by_text("/doorman claim").count() == 1
        await fan.page.goto(welcome)
        await fan.follow("Join Ann's club on Slack")
        await fan.press("Sol")
        await fan.shows("Join Ann's club on Slack", "slack-join")
        await fan.press("Join workspace")
        await sqlite_stage.settled()
        assert not sol.reads(club.gold)
        await fan.page.goto(welcome)
        await fan.press("I have joined: continue with Slack")
        await fan.shows("Sign in to Doorman with Slack", "slack-sign-in")
        await fan.press("Allow")
        await sqlite_stage.settled()
        await fan.shows("You are in", "slack-welcome-in")
        home = await sol.open_home(club.workspace)
        await fan.follow("Open Ann's club on Slack")
        await fan.shows("Ann's club", "slack-inside")
        await expect(fan.page.get_by_role("list", name="Channels")).to_contain_text("#gold")
        await expect(fan.page.get_by_role("region", name="Doorman")).to_contain_text(home.words.splitlines()[0])
    assert sol.reads(club.gold)
