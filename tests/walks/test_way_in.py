"""From a link to the role."""

import pytest

from sandbox.discord.people import Person
from sandbox.stripe.people import DECLINED_CARD, Refused
from tests.walks.shop import BANK, EMPTY_BANK, Shop, link_in, page, words_to


async def test_a_stranger_who_pays_is_inside_with_the_role(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    assert "You are in" in await shop.buys(ben, link)
    assert shop.holds(ben) == {"Gold"}
    assert "You're in" in words_to(ben)
    assert [one["amount"] for one in shop.stage.charges()] == [999]
    assert [one["status"] for one in shop.stage.subscriptions()] == ["active"]


async def test_a_member_of_the_server_buys_through_a_link_of_their_own_without_signing_in(shop: Shop) -> None:
    await shop.plan()
    ben = shop.fan("ben", inside=True)
    link = link_in(await ben.command(shop.server, "join"))
    async with shop.at_the_offer(ben, link) as browser:
        assert "You join as @Ben" in browser.text
    assert "You are in" in await shop.buys(ben, link)
    assert shop.holds(ben) == {"Gold"}


async def test_a_link_for_one_person_lets_in_that_person_whoever_pays(sqlite_shop: Shop) -> None:
    await sqlite_shop.plan()
    ben, eve = sqlite_shop.fan("ben", inside=True), sqlite_shop.fan("eve", inside=True)
    link = await sqlite_shop.link(**{"for": ben})
    async with sqlite_shop.at_the_offer(eve, link) as browser:
        assert "You join as @Ben" in browser.text
        assert "This link is for that account only" in browser.text
    await sqlite_shop.buys(eve, link)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert sqlite_shop.holds(eve) == set()


async def test_a_declined_card_is_told_on_the_payment_page_and_another_one_lets_in(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    checkout = await shop.checkout(ben, link)
    assert await shop.stage.town.cashiers.decline(checkout) == "Your card was declined."
    await shop.stage.settled()
    assert not shop.server.has(ben)
    assert shop.stage.charges() == []
    await shop.stage.town.cashiers.pay(checkout)
    await shop.stage.settled()
    assert shop.holds(ben) == {"Gold"}
    assert len(shop.stage.charges()) == 1


async def test_a_fan_who_only_ever_meets_declines_stays_outside_and_pays_nothing(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    with pytest.raises(Refused, match="declined"):
        await sqlite_shop.buys(ben, link, DECLINED_CARD)
    await sqlite_shop.stage.advance(days=2)
    assert not sqlite_shop.server.has(ben)
    assert sqlite_shop.stage.charges() == []


async def test_a_bank_that_asks_to_confirm_lets_in_once_it_is_confirmed(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.buys(ben, link, "4000002500003155")
    assert sqlite_shop.holds(ben) == {"Gold"}


async def test_a_second_click_leads_to_the_same_checkout(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    first = await shop.checkout(ben, link)
    assert await shop.checkout(ben, link) == first
    assert len(shop.stage.stripe.table("checkout.session")) == 1


async def test_two_clicks_at_once_lead_to_one_checkout(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    async with shop.at_the_offer(ben, link) as one, shop.at_the_offer(ben, link) as other:
        places = await shop.stage.together(one.press("Continue to payment", follow=False), other.press("Continue to payment", follow=False))
    assert len(set(places)) == 1
    assert len(shop.stage.stripe.table("checkout.session")) == 1


async def test_a_member_who_comes_again_is_shown_the_portal_and_never_charged_twice(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    await shop.buys(ben, link)
    async with shop.at_the_offer(ben, link) as browser:
        words = await browser.press("Continue to payment")
        assert "You are already in" in words
        assert "Nothing was charged" in words
        portal = await browser.press("Manage your payments", follow=False)
    assert portal.startswith(f"{shop.stage.town.stripe.base_url}/p/session/")
    assert len(shop.stage.stripe.table("checkout.session")) == 1
    assert len(shop.stage.charges()) == 1


async def test_a_paid_checkout_opened_again_leads_to_the_welcome_page(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    with sqlite_shop.stage.webhooks_lost():
        await sqlite_shop.stage.town.cashiers.pay(await sqlite_shop.checkout(ben, link))
        assert "/welcome/" in await sqlite_shop.checkout(ben, link)
    assert len(sqlite_shop.stage.stripe.table("checkout.session")) == 1


@pytest.fixture
async def pass_buyer(shop: Shop) -> Person:
    """Somebody about to buy a 30-day pass."""
    await shop.plan("Pass", interval="30 days")
    return shop.fan("ben")


async def test_money_that_takes_days_lets_in_when_it_arrives(shop: Shop, pass_buyer: Person) -> None:
    checkout = await shop.checkout(pass_buyer, await shop.link("Pass"))
    welcome = await shop.stage.town.cashiers.pay(checkout, bank_account=BANK)
    await shop.stage.settled()
    assert "Your payment is on its way" in await page(welcome)
    assert not shop.server.has(pass_buyer)
    await shop.stage.advance(days=4)
    assert shop.holds(pass_buyer) == {"Gold"}
    assert "You are in" in await page(welcome)


async def test_money_on_its_way_is_not_asked_for_again(shop: Shop, pass_buyer: Person) -> None:
    link = await shop.link("Pass")
    await shop.stage.town.cashiers.pay(await shop.checkout(pass_buyer, link), bank_account=BANK)
    await shop.stage.settled()
    async with shop.at_the_offer(pass_buyer, link) as browser:
        assert "on its way" in await browser.press("Continue to payment")
    assert len(shop.stage.stripe.table("checkout.session")) == 1


async def test_money_that_never_arrives_opens_nothing_and_may_be_tried_again(shop: Shop, pass_buyer: Person) -> None:
    link = await shop.link("Pass")
    welcome = await shop.stage.town.cashiers.pay(await shop.checkout(pass_buyer, link), bank_account=EMPTY_BANK)
    await shop.stage.advance(days=4)
    assert not shop.server.has(pass_buyer)
    assert "did not arrive" in await page(welcome)
    await shop.buys(pass_buyer, link)
    assert shop.holds(pass_buyer) == {"Gold"}


async def test_whoever_closed_their_messages_reads_the_welcome_on_its_page(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    ben.close_dms()
    words = await sqlite_shop.buys(ben, link)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert "Your membership Gold is on" in words
    assert ben.inbox() == []


async def test_a_fan_who_takes_back_what_they_allowed_comes_in_by_an_invite_and_gets_the_role_on_joining(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    checkout = await shop.checkout(ben, link)
    ben.withdraw()
    welcome = await shop.stage.town.cashiers.pay(checkout)
    await shop.stage.settled()
    assert "One step is yours" in await page(welcome)
    assert not shop.server.has(ben)
    async with shop.at_the_page(welcome) as browser:
        ben.join(shop.server, browser.link("Join").rpartition("/")[2])
    await shop.stage.settled()
    assert shop.holds(ben) == {"Gold"}
    assert "You are in" in await page(welcome)


async def test_a_link_sells_as_often_as_it_may_and_no_more(shop: Shop) -> None:
    await shop.plan()
    link = await shop.link(uses=1)
    await shop.buys(shop.fan("ben"), link)
    assert "used as often as it may be" in await page(link)


async def test_a_withdrawn_link_sells_nothing_and_who_paid_through_it_stays(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.buys(ben, link)
    await sqlite_shop.command("doorman link revoke", link=link)
    assert "withdrawn" in await page(link)
    assert sqlite_shop.holds(ben) == {"Gold"}


async def test_an_archived_plan_is_sold_no_more_and_its_members_keep_it(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.buys(ben, link)
    await sqlite_shop.command("doorman plan archive", plan="Gold")
    assert "no longer sold" in await page(link)
    await sqlite_shop.stage.advance(days=32)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert len(sqlite_shop.stage.charges()) == 2
