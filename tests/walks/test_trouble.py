"""What goes wrong on the way: outages, lost and doubled events, a creator's slips."""

from collections import Counter

import pytest

from sandbox.discord.people import NoAnswerError
from sandbox.faults import Fault, FaultKind
from tests.walks.shop import PERMISSIONS, Shop, page, words_to


def changes_on_discord(shop: Shop) -> Counter[str]:
    """Count the calls that changed who holds what."""
    return Counter(method for method, path in shop.stage.town.discord.rest.calls if "/roles/" in path and method in {"PUT", "DELETE"})


async def test_discord_down_while_a_fan_pays_loses_nobody(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    checkout = await shop.checkout(ben, link)
    async with shop.stage.town.discord.outage():
        welcome = await shop.stage.town.cashiers.pay(checkout)
        await shop.stage.settled()
        assert not shop.server.has(ben)
        assert "You are paid" in await page(welcome)
        await shop.stage.advance(minutes=5)
    await shop.stage.until(lambda: shop.holds(ben) == {"Gold"})
    assert "You are in" in await page(welcome)
    assert len(shop.stage.charges()) == 1


async def test_discord_down_while_a_membership_ends_takes_the_role_once_it_is_back(shop: Shop) -> None:
    ben = shop.fan("ben")
    await shop.buys(ben, await shop.sells(interval="30 days"))
    async with shop.stage.town.discord.outage():
        await shop.stage.advance(days=31)
        assert shop.holds(ben) == {"Gold"}
    await shop.stage.until(lambda: shop.holds(ben) == set())


async def test_stripe_down_while_its_event_is_worked_on_only_delays(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    checkout = await shop.checkout(ben, link)
    outage = shop.stage.town.wire.faults.outage("stripe")
    welcome = await shop.stage.town.cashiers.pay(checkout)
    await shop.stage.settled()
    assert not shop.server.has(ben)
    assert "Not paid yet" in await page(welcome)
    shop.stage.town.wire.faults.lift(outage)
    await shop.stage.until(lambda: shop.holds(ben) == {"Gold"})
    assert len(shop.stage.charges()) == 1


@pytest.mark.usefixtures("errors_expected")
async def test_stripe_down_while_a_fan_wants_to_pay_is_said_and_charges_nothing(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    outage = sqlite_shop.stage.town.wire.faults.outage("stripe")
    async with sqlite_shop.at_the_offer(ben, link) as browser:
        await browser.press("Continue to payment")
        assert browser.status == 503
        sqlite_shop.stage.town.wire.faults.lift(outage)
    await sqlite_shop.buys(ben, link)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert len(sqlite_shop.stage.charges()) == 1


async def test_a_renewal_during_an_outage_of_stripe_locks_nobody_out(sqlite_shop: Shop) -> None:
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.buys(ben, await sqlite_shop.sells())
    await sqlite_shop.stage.advance(days=29)
    outage = sqlite_shop.stage.town.wire.faults.outage("stripe")
    await sqlite_shop.stage.advance(days=6)  # beyond the leeway: nothing may be concluded from silence
    assert sqlite_shop.holds(ben) == {"Gold"}
    sqlite_shop.stage.town.wire.faults.lift(outage)
    await sqlite_shop.stage.advance(days=1)
    assert sqlite_shop.holds(ben) == {"Gold"}


async def test_every_event_five_times_changes_everything_once(shop: Shop) -> None:
    shop.stage.town.wire.faults.add(Fault("stripe", FaultKind.DUPLICATE, "^WEBHOOK ", times=None, copies=5))
    link = await shop.sells()
    ben = shop.fan("ben", inside=True)
    await shop.buys(ben, link)
    assert shop.holds(ben) == {"Gold"}
    assert changes_on_discord(shop) == {"PUT": 1}
    assert len(ben.inbox()) == 1


@pytest.mark.parametrize("lost", ["^WEBHOOK ", "^WEBHOOK checkout", "^WEBHOOK (customer|invoice)"])
async def test_events_that_are_lost_are_made_up_for(sqlite_shop: Shop, lost: str) -> None:
    sqlite_shop.stage.town.wire.faults.add(Fault("stripe", FaultKind.DROP, lost, times=None))
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.stage.town.cashiers.pay(await sqlite_shop.checkout(ben, link))
    await sqlite_shop.stage.advance(minutes=10)
    assert sqlite_shop.holds(ben) == {"Gold"}


async def test_events_that_came_while_the_product_was_down_are_made_up_for_at_its_start(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    checkout = await shop.checkout(ben, link)
    await shop.stage.stop()
    with shop.stage.webhooks_lost():
        await shop.stage.town.cashiers.pay(checkout)
    await shop.stage.start()
    assert shop.holds(ben) == {"Gold"}


async def test_a_command_cut_off_by_a_restart_is_answered_after_it(shop: Shop) -> None:
    await shop.plan()
    outage = shop.stage.town.wire.faults.outage("stripe")
    with pytest.raises(NoAnswerError):
        await shop.creator.command(
            shop.server, "doorman plan create", name="Late", price="5 USD", interval="week", role=shop.role(), within=0.5
        )
    await shop.stage.stop()
    shop.stage.town.wire.faults.lift(outage)
    await shop.stage.start()
    await shop.stage.advance(minutes=2)
    assert "Late" in (await shop.command("doorman plan list")).words


async def test_a_role_moved_above_the_bot_stops_the_sale_is_told_and_mended_is_granted(shop: Shop) -> None:
    link = await shop.sells()
    ben = shop.fan("ben")
    checkout = await shop.checkout(ben, link)
    shop.server.move_role(shop.role(), len(shop.server.guild.roles) - 1)
    await shop.stage.settled()
    assert "Something needs your hand" in shop.heard()
    assert "can't be delivered right now" in await page(link)
    welcome = await shop.stage.town.cashiers.pay(checkout)
    await shop.stage.settled()
    assert shop.holds(ben) == set()
    assert "waits for the owner" in await page(welcome)
    shop.server.raise_bot()
    await shop.stage.settled()
    assert shop.holds(ben) == {"Gold"}
    assert "9.99" in await page(link)
    assert shop.heard().count("Something needs your hand") == 1


async def test_a_role_that_became_dangerous_is_given_to_nobody_and_no_longer_sold(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben = sqlite_shop.fan("ben")
    checkout = await sqlite_shop.checkout(ben, link)
    sqlite_shop.server.change_role(sqlite_shop.role(), permissions=1 << 5)  # Manage Server
    await sqlite_shop.stage.settled()
    await sqlite_shop.stage.town.cashiers.pay(checkout)
    await sqlite_shop.stage.settled()
    assert sqlite_shop.holds(ben) == set()
    assert "can't be delivered right now" in await page(link)
    assert "Something needs your hand" in sqlite_shop.heard()
    sqlite_shop.server.change_role(sqlite_shop.role(), permissions=0)
    await sqlite_shop.stage.settled()
    assert sqlite_shop.holds(ben) == {"Gold"}


async def test_a_deleted_role_stops_the_sale_and_is_told(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    ben, eve = sqlite_shop.fan("ben"), sqlite_shop.fan("eve")
    await sqlite_shop.buys(ben, link)
    checkout = await sqlite_shop.checkout(eve, link)
    sqlite_shop.server.delete_role(sqlite_shop.role())
    await sqlite_shop.stage.settled()
    assert "Something needs your hand" in sqlite_shop.heard()
    assert "can't be delivered right now" in await page(link)
    welcome = await sqlite_shop.stage.town.cashiers.pay(checkout)
    await sqlite_shop.stage.settled()
    assert "waits for the owner" in await page(welcome)
    await sqlite_shop.cancels(ben)
    await sqlite_shop.stage.advance(days=31)  # what is gone need not be taken
    assert sqlite_shop.heard().count("Something needs your hand") == 1


async def test_a_bot_that_was_kicked_takes_up_where_it_left_when_it_is_back(shop: Shop) -> None:
    link = await shop.sells()
    ben, eve = shop.fan("ben", inside=True), shop.fan("eve")
    checkouts = [await shop.checkout(fan, link) for fan in (ben, eve)]
    shop.server.kick_bot()
    await shop.stage.settled()
    for checkout in checkouts:
        await shop.stage.town.cashiers.pay(checkout)
    await shop.stage.settled()
    assert shop.holds(ben) == set()
    await shop.stage.town.discord.people.add_bot(shop.server, PERMISSIONS)
    await shop.stage.settled()
    await shop.stage.advance(hours=2)
    assert shop.holds(ben) == {"Gold"}
    assert shop.holds(eve) == {"Gold"}
    assert len(shop.stage.charges()) == 2


async def test_a_server_that_is_briefly_unavailable_is_not_taken_for_a_removal(sqlite_shop: Shop) -> None:
    link = await sqlite_shop.sells()
    sqlite_shop.server.set_available(available=False)
    await sqlite_shop.stage.settled()
    sqlite_shop.server.set_available(available=True)
    await sqlite_shop.stage.settled()
    ben = sqlite_shop.fan("ben")
    await sqlite_shop.buys(ben, link)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert "can no longer let people in" not in words_to(sqlite_shop.creator)
