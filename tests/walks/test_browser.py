"""The fan's way in a real browser, against the whole product and the emulators, over sockets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize, expect

from tests.walks.chromium import DESKTOP, PHONE, Screen, needs_chromium, screen
from tests.walks.shop import PERMISSIONS, Shop, words_to
from tests.walks.stage import Stage

pytestmark = needs_chromium
README = Path(__file__).parents[2] / "README.md"
GOOD, DECLINED, ASKS_BANK = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"
pictures = pytest.mark.screenshots
EVERY_SCREEN = pytest.mark.parametrize(
    ("size", "scripts"),
    [
        pytest.param(PHONE, True, id="phone", marks=pictures),
        pytest.param(DESKTOP, True, id="desktop", marks=[pictures, pytest.mark.long]),
        pytest.param(PHONE, False, id="phone without scripts", marks=pytest.mark.long),
        pytest.param(DESKTOP, False, id="desktop without scripts", marks=pytest.mark.long),
    ],
)
BOTH_SIZES = pytest.mark.parametrize(
    "size", [pytest.param(PHONE, id="phone", marks=pictures), pytest.param(DESKTOP, id="desktop", marks=pictures)]
)


@pytest.fixture
async def kitchen(sqlite_stage: Stage) -> Shop:
    """A creator's server with the bot in it."""
    people = sqlite_stage.town.discord.people
    ann = people.user("ann")
    server = people.guild(ann, "Ann's Kitchen", ["Gold"])
    await people.add_bot(server, PERMISSIONS)
    await sqlite_stage.settled()
    sqlite_stage.stripe.name = server.name  # what the payment page calls the seller
    return Shop(sqlite_stage, ann, server)


async def sells(kitchen: Shop) -> str:
    """Put on sale what every picture shows, and return the link."""
    return await kitchen.sells(description="Every recipe, and a live evening each month.")


@contextmanager
def discord_down(kitchen: Shop) -> Iterator[None]:
    """Let nobody be let in while the block lasts."""
    plan = kitchen.stage.town.wire.faults
    outage = plan.outage("discord")
    try:
        yield
    finally:
        plan.lift(outage)


def install_url(stage: Stage) -> str:
    """Return the address README.md tells creators to open, here of the emulator."""
    told = re.search(r"^https://discord\.com/oauth2/authorize(\?\S+)$", README.read_text(), re.MULTILINE)
    assert told
    discord = stage.town.served
    return discord.authorize_url + told[1].replace("APPLICATION_ID", discord.client_id)


async def to_checkout(fan: Screen, link: str, *, looking: bool = False) -> None:
    """Walk from the link to the page that asks for a card, as ben; ``looking``: examine each page on the way."""
    arrives = fan.shows if looking else fan.reaches
    await fan.page.goto(link)
    await arrives("Gold", "offer")
    await fan.press("Continue with Discord")
    await arrives("Who are you?")
    await fan.press("@ben")
    await arrives("Doorman wants to access your account", "consent")
    await fan.press("Authorise")
    await expect(fan.page.get_by_text("You join as @Ben")).to_be_visible()
    await arrives("Gold", "confirm")
    await fan.press("Continue to payment")


async def pay(fan: Screen, card: str, button: str = "Subscribe 9.99 USD") -> None:
    """Fill in the page and press its button."""
    await fan.type({"E-mail": "ben@example.com", "Name": "Ben", "Card number": card})
    await fan.press(button)


@EVERY_SCREEN
async def test_a_fan_whose_first_card_is_declined_walks_from_the_link_into_the_server(
    kitchen: Shop, size: ViewportSize, *, scripts: bool
) -> None:
    link = await sells(kitchen)
    ben = kitchen.fan("ben")
    async with screen(size, scripts=scripts) as fan:
        await to_checkout(fan, link, looking=True)
        await fan.shows("Pay Ann's Kitchen", "checkout")
        await pay(fan, DECLINED)
        await expect(fan.page.get_by_role("alert")).to_have_text("Your card was declined.")
        await fan.shows("Pay Ann's Kitchen", "declined")
        assert kitchen.stage.charges() == []
        with discord_down(kitchen):
            await pay(fan, GOOD)
            await fan.shows("You are paid. We are letting you in", "welcome-paid")
            assert not kitchen.server.has(ben)
        await kitchen.stage.until(lambda: kitchen.server.has(ben), minutes=1)
        await fan.shows("You are in", "welcome-in")
        await fan.follow("Open Ann's Kitchen on Discord")
        await fan.shows("Ann's Kitchen", "inside")
        await expect(fan.page.get_by_role("list", name="Your roles")).to_have_text("Gold")
    assert kitchen.holds(ben) == {"Gold"}
    assert [one["amount"] for one in kitchen.stage.charges()] == [999]


@pytest.mark.long
@pictures
async def test_a_creator_adds_the_bot(kitchen: Shop) -> None:
    bakery = kitchen.stage.town.discord.people.guild(kitchen.creator, "Ann's Bakery")
    async with screen(DESKTOP) as creator:
        await creator.page.goto(install_url(kitchen.stage))
        await creator.press("@ann")
        await creator.page.get_by_label(bakery.name).check()
        await creator.shows("Doorman wants to access your account", "add-the-bot")
        await creator.press("Authorise")
        await creator.shows("Authorised")
    await kitchen.stage.settled()
    assert bakery.role("doorman").permissions == PERMISSIONS
    assert bakery.name in kitchen.heard()


@pytest.mark.long
@BOTH_SIZES
async def test_a_member_who_comes_again_is_led_to_the_portal_and_cancels_there(kitchen: Shop, size: ViewportSize) -> None:
    link = await sells(kitchen)
    ben = kitchen.fan("ben")
    await kitchen.buys(ben, link)
    async with screen(size) as member:
        await to_checkout(member, link)
        await member.shows("You are already in", "already-in")
        await member.press("Manage your payments")
        await member.shows("Your subscriptions", "portal")
        await member.press("Cancel subscription")
        await expect(member.page.get_by_role("button", name="Keep my subscription")).to_be_visible()
        await member.shows("Your subscriptions")
        await kitchen.stage.settled()
        assert "stays on until" in words_to(ben)
        await kitchen.command("doorman link revoke", link=link)
        await member.follow("Return to")
        await member.shows("This link no longer works", "withdrawn")


@pytest.mark.long
@pictures
async def test_a_tip_is_confirmed_with_the_bank_and_thanked_for(kitchen: Shop) -> None:
    ben = kitchen.fan("ben", inside=True)
    reply = await ben.command(kitchen.server, "tip", amount="5 USD", message="For the soup!")
    async with screen(PHONE) as fan:
        await fan.page.goto(reply.link("Pay 5.00 USD"))
        await pay(fan, ASKS_BANK, "Pay 5.00 USD")
        await fan.shows("3-D Secure", "bank")
        await fan.press("Complete")
        await fan.shows("Thank you", "tip")
    await kitchen.stage.settled()
    assert "For the soup!" in kitchen.heard()


@pytest.mark.long
@pictures
async def test_whoever_may_not_be_brought_in_comes_in_by_an_invite(kitchen: Shop) -> None:
    link = await sells(kitchen)
    ben = kitchen.fan("ben")
    async with screen(PHONE) as fan:
        await to_checkout(fan, link)
        await fan.reaches("Pay Ann's Kitchen")
        ben.withdraw()
        await pay(fan, GOOD)
        await fan.shows("You are paid. One step is yours", "welcome-invite")
        await fan.follow("Join Ann's Kitchen")
        await fan.shows("@doorman invited you to join Ann's Kitchen")
        await fan.press("Accept invite")
        await fan.reaches("Ann's Kitchen")
    await kitchen.stage.settled()
    assert kitchen.holds(ben) == {"Gold"}
