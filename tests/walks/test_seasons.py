"""Time moves on: renewals, failed ones, cancels, ends."""

from datetime import timedelta
from typing import Any

from sandbox.discord.people import Person
from sandbox.faults import Fault, FaultKind
from sandbox.stripe.people import GOOD_CARD
from sandbox.stripe.resource import Resource
from tests.walks.shop import FAILS_LATER, Shop, words_to


async def member(shop: Shop, card: str = GOOD_CARD, name: str = "ben", **plan: Any) -> Person:  # noqa: ANN401
    """Let somebody buy a plan."""
    fan = shop.fan(name)
    await shop.buys(fan, await shop.sells(**plan), card)
    return fan


def only(rows: list[Resource]) -> Resource:
    """Return the one row there is."""
    (row,) = rows
    return row


async def test_a_subscription_renews_and_its_member_notices_nothing(shop: Shop) -> None:
    ben = await member(shop)
    said = words_to(ben)
    for payments in (2, 3):
        await shop.stage.advance(days=31)
        assert len(shop.stage.charges()) == payments
        assert shop.holds(ben) == {"Gold"}
    assert words_to(ben) == said


async def test_a_failed_renewal_is_forgiven_for_the_grace_with_reminders_and_then_the_role_goes(shop: Shop) -> None:
    ben = await member(shop, FAILS_LATER)
    await shop.stage.advance(days=30, hours=2)  # the period ends on 2 December; the invoice is collected an hour later
    assert only(shop.stage.subscriptions())["status"] == "past_due"
    assert shop.holds(ben) == {"Gold"}
    assert words_to(ben).count("did not go through") == 1
    assert words_to(ben).count("Pay 9.99 USD") == 1
    for _ in range(4):
        await shop.stage.advance(days=1)
        assert shop.holds(ben) == {"Gold"}
    assert words_to(ben).count("is still open") == 2
    assert words_to(ben).count("last reminder") == 1
    await shop.stage.advance(days=1)
    assert shop.holds(ben) == set()
    assert shop.server.has(ben)
    assert words_to(ben).count("payment did not arrive") == 1
    await shop.stage.advance(days=30)
    assert shop.holds(ben) == set()
    assert len(shop.stage.charges()) == 1


async def test_a_card_mended_within_the_grace_keeps_the_role_all_along(shop: Shop) -> None:
    ben = await member(shop, FAILS_LATER)
    given = shop.server.role_moment(ben, shop.role())
    await shop.stage.advance(days=31)
    await shop.stage.town.cashiers.change_card(await shop.portal(ben))
    await shop.stage.advance(days=3)  # the next try is three days after the first
    assert only(shop.stage.subscriptions())["status"] == "active"
    assert "Thank you. Your Gold is paid until" in words_to(ben).replace("*", "")
    await shop.stage.advance(days=10)
    assert shop.holds(ben) == {"Gold"}
    assert shop.server.role_moment(ben, shop.role()) == given
    assert len(shop.stage.charges()) == 2


async def test_a_card_mended_after_the_grace_brings_the_role_back(shop: Shop) -> None:
    await shop.command("doorman setup", grace_days=2)
    ben = await member(shop, FAILS_LATER)
    await shop.stage.advance(days=32, hours=2)
    assert shop.holds(ben) == set()
    assert only(shop.stage.subscriptions())["status"] == "past_due"
    (invoice,) = [one for one in shop.stage.stripe.table("invoice") if one["status"] == "open"]
    await shop.stage.town.cashiers.pay_invoice(invoice["hosted_invoice_url"])
    await shop.stage.settled()
    assert shop.holds(ben) == {"Gold"}


async def test_whoever_waits_with_a_failed_payment_is_not_sold_the_same_plan_again(sqlite_shop: Shop) -> None:
    await sqlite_shop.command("doorman setup", grace_days=0)
    ben = await member(sqlite_shop, FAILS_LATER)
    await sqlite_shop.stage.advance(days=31)
    assert sqlite_shop.holds(ben) == set()
    async with sqlite_shop.at_the_offer(ben, await sqlite_shop.link()) as browser:
        assert "A payment is waiting for you" in await browser.press("Continue to payment")
    assert len(sqlite_shop.stage.stripe.table("checkout.session")) == 1


async def test_a_cancelled_member_keeps_access_until_the_period_ends(shop: Shop) -> None:
    ben = await member(shop)
    await shop.stage.advance(days=10)
    await shop.cancels(ben)
    assert "cancelled and stays on until" in words_to(ben)
    await shop.stage.advance(days=19, hours=23)
    assert shop.holds(ben) == {"Gold"}
    await shop.stage.advance(hours=2)
    assert only(shop.stage.subscriptions())["status"] == "canceled"
    assert shop.holds(ben) == set()
    assert "has ended" in words_to(ben)
    assert len(shop.stage.charges()) == 1


async def test_a_cancel_taken_back_in_time_changes_nothing(sqlite_shop: Shop) -> None:
    ben = await member(sqlite_shop)
    await sqlite_shop.cancels(ben)
    await sqlite_shop.stage.town.cashiers.resume_subscription(await sqlite_shop.portal(ben))
    await sqlite_shop.stage.advance(days=40)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert len(sqlite_shop.stage.charges()) == 2


async def test_an_event_that_comes_long_after_the_cancel_revives_nobody(shop: Shop) -> None:
    ben = await member(shop)
    late = Fault("stripe", FaultKind.DELAY, "^WEBHOOK customer.subscription.updated", seconds=timedelta(days=60).total_seconds())
    shop.stage.town.wire.faults.add(late)
    await shop.cancels(ben)  # the event that says "active, cancels later" travels for two months
    await shop.stage.advance(days=31)
    assert shop.holds(ben) == set()
    for kind in ("customer.subscription.created", "invoice.paid", "checkout.session.completed"):
        shop.stage.town.stripe.redeliver(shop.stage.stripe.table("event").where("type", kind)[0].id)
    await shop.stage.settled()
    await shop.stage.advance(days=40)
    assert shop.holds(ben) == set()
    assert words_to(ben).count("your membership has ended") == 1


async def test_the_end_comes_even_when_nobody_tells_of_it(shop: Shop) -> None:
    ben = await member(shop)
    await shop.cancels(ben)
    with shop.stage.webhooks_lost():
        await shop.stage.advance(days=34)
    assert shop.holds(ben) == set()


async def test_a_renewal_nobody_tells_of_locks_nobody_out(sqlite_shop: Shop) -> None:
    ben = await member(sqlite_shop)
    given = sqlite_shop.server.role_moment(ben, sqlite_shop.role())
    with sqlite_shop.stage.webhooks_lost():
        await sqlite_shop.stage.advance(days=70)
    assert sqlite_shop.server.role_moment(ben, sqlite_shop.role()) == given
    assert len(sqlite_shop.stage.charges()) == 3


async def test_a_trial_opens_at_once_costs_nothing_and_is_given_once(shop: Shop) -> None:
    ben = await member(shop, trial_days=7)
    assert shop.holds(ben) == {"Gold"}
    assert only(shop.stage.subscriptions())["status"] == "trialing"
    await shop.cancels(ben)
    await shop.stage.advance(days=6, hours=23)
    assert shop.holds(ben) == {"Gold"}
    await shop.stage.advance(hours=2)
    assert shop.holds(ben) == set()
    assert shop.stage.charges() == []
    await shop.buys(ben, await shop.link())
    assert shop.holds(ben) == {"Gold"}
    assert [one["amount"] for one in shop.stage.charges()] == [999]
    assert shop.stage.subscriptions()[-1]["status"] == "active"


async def test_a_trial_turns_into_a_paid_membership(sqlite_shop: Shop) -> None:
    ben = await member(sqlite_shop, trial_days=7)
    await sqlite_shop.stage.advance(days=8)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert len(sqlite_shop.stage.charges()) == 1


async def test_a_status_nobody_knows_keeps_access_and_is_told_to_the_creator(sqlite_shop: Shop) -> None:
    ben = await member(sqlite_shop)
    subscription = only(sqlite_shop.stage.subscriptions())
    sqlite_shop.stage.town.wire.recorder.close()  # what follows is no answer of today's Stripe
    with sqlite_shop.stage.stripe.changing(subscription, "customer.subscription.updated"):
        subscription["status"] = "hibernating"
    await sqlite_shop.stage.settled()
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert "hibernating" in sqlite_shop.heard()
    assert subscription.id in sqlite_shop.heard()
    await sqlite_shop.stage.advance(days=1)
    assert sqlite_shop.heard().count("A subscription I don't understand") == 1
    await sqlite_shop.stage.advance(days=9)
    assert sqlite_shop.holds(ben) == {"Gold"}


async def test_a_pass_ends_by_itself(shop: Shop) -> None:
    ben = await member(shop, name="ben", interval="30 days")
    await shop.stage.advance(days=29, hours=23)
    assert shop.holds(ben) == {"Gold"}
    await shop.stage.advance(hours=1)
    assert shop.holds(ben) == set()
    assert words_to(ben).count("your membership has ended") == 1
    assert len(shop.stage.charges()) == 1


async def test_a_pass_bought_twice_lasts_twice_as_long(shop: Shop) -> None:
    ben = await member(shop, interval="30 days")
    await shop.stage.advance(days=20)
    await shop.buys(ben, await shop.link())
    await shop.stage.advance(days=39, hours=23)
    assert shop.holds(ben) == {"Gold"}
    assert "has ended" not in words_to(ben)
    await shop.stage.advance(hours=1)
    assert shop.holds(ben) == set()
    assert words_to(ben).count("your membership has ended") == 1
    assert len(shop.stage.charges()) == 2


async def test_what_is_bought_for_life_stays(sqlite_shop: Shop) -> None:
    ben = await member(sqlite_shop, interval="once", price="99 USD")
    await sqlite_shop.stage.advance(days=400)
    assert sqlite_shop.holds(ben) == {"Gold"}
    assert [one["amount"] for one in sqlite_shop.stage.charges()] == [9900]


async def test_a_year_lasts_a_year(sqlite_shop: Shop) -> None:
    ben = await member(sqlite_shop, interval="year", price="99 USD")
    await sqlite_shop.cancels(ben)
    await sqlite_shop.stage.advance(days=364)
    assert sqlite_shop.holds(ben) == {"Gold"}
    await sqlite_shop.stage.advance(days=2)
    assert sqlite_shop.holds(ben) == set()


async def test_a_refund_in_full_ends_what_it_paid_for(shop: Shop) -> None:
    ben = await member(shop)
    await shop.stage.town.cashiers.refund(only(shop.stage.charges()).id)
    await shop.stage.settled()
    assert shop.holds(ben) == set()
    assert "has ended with its refund" in words_to(ben)


async def test_a_refund_of_a_part_keeps_access(shop: Shop) -> None:
    ben = await member(shop)
    await shop.stage.town.cashiers.refund(only(shop.stage.charges()).id, 500)
    await shop.stage.settled()
    assert shop.holds(ben) == {"Gold"}
    await shop.stage.town.cashiers.refund(only(shop.stage.charges()).id, 499)
    await shop.stage.settled()
    assert shop.holds(ben) == set()


async def test_a_refunded_pass_ends_and_one_bought_after_it_lasts(shop: Shop) -> None:
    ben = await member(shop, interval="30 days")
    await shop.stage.town.cashiers.refund(only(shop.stage.charges()).id)
    await shop.stage.settled()
    assert shop.holds(ben) == set()
    await shop.buys(ben, await shop.link())
    await shop.stage.advance(days=29)
    assert shop.holds(ben) == {"Gold"}


async def test_a_refund_of_an_earlier_month_leaves_this_month_alone(sqlite_shop: Shop) -> None:
    ben = await member(sqlite_shop)
    await sqlite_shop.stage.advance(days=31)
    first, _ = sqlite_shop.stage.charges()
    await sqlite_shop.stage.town.cashiers.refund(first.id)
    await sqlite_shop.stage.settled()
    assert sqlite_shop.holds(ben) == {"Gold"}
