"""What happens by itself as time passes, each thing at its own moment."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from sandbox.clock import VirtualClock
from sandbox.stripe import Refused, StripeEmulator, checkout
from tests.sandbox.stripe.shop import Mailbox, Shop

DAY = 86_400
HOUR = 3_600
START = int(datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp())
RENEWS = int(datetime(2026, 12, 2, 9, tzinfo=UTC).timestamp())


def period(subscription: stripe.Subscription) -> tuple[int, int]:
    item = subscription["items"].data[0]
    return item.current_period_start, item.current_period_end


async def test_a_renewal_moves_the_period_and_is_paid_an_hour_later(shop: Shop) -> None:
    subscription = await shop.subscribe()
    assert period(subscription) == (START, RENEWS)
    await shop.listen()
    await shop.pass_time(days=30)
    renewed = await shop.subscription(subscription.id)
    assert period(renewed) == (RENEWS, int(datetime(2027, 1, 2, 9, tzinfo=UTC).timestamp()))
    draft = (await shop.api.v1.invoices.list_async({"subscription": subscription.id, "limit": 1})).data[0]
    assert (draft.status, draft.billing_reason, draft.automatically_finalizes_at) == ("draft", "subscription_cycle", RENEWS + HOUR)
    await shop.pass_time(hours=1)
    paid = await shop.api.v1.invoices.retrieve_async(str(draft.id))
    assert (paid.status, paid.status_transitions.paid_at) == ("paid", RENEWS + HOUR)
    kinds = {event["type"]: event["created"] for event in shop.mailbox.events}
    assert kinds["customer.subscription.updated"] == RENEWS
    assert kinds["invoice.paid"] == RENEWS + HOUR


async def test_a_failing_renewal_is_retried_after_three_five_and_seven_days_and_then_ends(shop: Shop) -> None:
    subscription = await shop.subscribe("4000000000000341")
    await shop.listen("invoice.payment_failed", "customer.subscription.updated", "customer.subscription.deleted")
    await shop.pass_time(days=31)
    late = await shop.subscription(subscription.id)
    assert late.status == "past_due"
    await shop.pass_time(days=30)
    failed = [event for event in shop.mailbox.events if event["type"] == "invoice.payment_failed"]
    first = RENEWS + HOUR
    assert sorted(event["created"] for event in failed) == [first, first + 3 * DAY, first + 8 * DAY, first + 15 * DAY]
    attempts = {event["data"]["object"]["attempt_count"]: event["data"]["object"]["next_payment_attempt"] for event in failed}
    assert attempts == {1: first + 3 * DAY, 2: first + 8 * DAY, 3: first + 15 * DAY, 4: None}
    over = await shop.subscription(subscription.id)
    assert (over.status, over.ended_at) == ("canceled", first + 15 * DAY)
    assert over.cancellation_details
    assert over.cancellation_details.reason == "payment_failed"


async def test_after_the_last_retry_a_subscription_may_stay_unpaid(shop: Shop) -> None:
    shop.emulator.model.policy.after_retries = "unpaid"
    subscription = await shop.subscribe("4000000000000341")
    await shop.pass_time(days=50)
    assert (await shop.subscription(subscription.id)).status == "unpaid"
    drafts = await shop.api.v1.invoices.list_async({"subscription": subscription.id, "status": "open"})
    assert len(drafts.data) == 1


async def test_another_card_saves_a_subscription_that_is_past_due(shop: Shop) -> None:
    subscription = await shop.subscribe("4000000000000341")
    await shop.pass_time(days=31)
    await shop.people.change_card(await shop.portal(str(subscription.customer)), "5555555555554444")
    assert (await shop.subscription(subscription.id)).status == "past_due"
    await shop.pass_time(days=3)
    assert (await shop.subscription(subscription.id)).status == "active"


async def test_an_open_invoice_is_paid_on_its_own_page(shop: Shop) -> None:
    subscription = await shop.subscribe("4000000000000341")
    await shop.pass_time(days=31)
    invoice = await shop.api.v1.invoices.retrieve_async(str((await shop.subscription(subscription.id)).latest_invoice))
    page = await shop.people.pay_invoice(str(invoice.hosted_invoice_url), "4000002500003155")
    assert "paid" in page
    assert (await shop.subscription(subscription.id)).status == "active"


async def test_a_card_that_always_asks_its_bank_fails_the_renewal(shop: Shop) -> None:
    subscription = await shop.subscribe("4000002760003184")
    await shop.listen("invoice.payment_action_required")
    await shop.pass_time(days=31)
    assert (await shop.subscription(subscription.id)).status == "past_due"
    assert shop.mailbox.types() == ["invoice.payment_action_required"]


async def test_a_card_set_up_with_three_d_secure_renews_by_itself(shop: Shop) -> None:
    subscription = await shop.subscribe("4000002500003155")
    await shop.pass_time(days=31)
    assert (await shop.subscription(subscription.id)).status == "active"


async def test_the_end_of_a_trial_is_announced_three_days_before(shop: Shop) -> None:
    await shop.listen("customer.subscription.trial_will_end")
    await shop.subscribe(subscription_data={"trial_period_days": 14})
    await shop.pass_time(days=20)
    assert [event["created"] for event in shop.mailbox.events] == [START + 11 * DAY]


@pytest.mark.parametrize(("interval", "days"), [("day", 1), ("week", 7), ("year", 365)])
async def test_every_interval_renews(shop: Shop, interval: str, days: int) -> None:
    subscription = await shop.subscribe(price=await shop.price(interval=interval))
    await shop.pass_time(days=days, hours=1)
    invoices = await shop.api.v1.invoices.list_async({"subscription": subscription.id})
    assert [invoice.status for invoice in invoices.data] == ["paid", "paid"]
    assert period(await shop.subscription(subscription.id))[0] == START + days * DAY


async def test_one_long_jump_carries_out_every_renewal_at_its_own_time(shop: Shop) -> None:
    subscription = await shop.subscribe()
    await shop.pass_time(days=366)
    invoices = (await shop.api.v1.invoices.list_async({"subscription": subscription.id, "limit": 100})).data
    assert [invoice.status for invoice in invoices] == ["paid"] * 13
    begun = [datetime.fromtimestamp(invoice.created, UTC) for invoice in invoices]
    assert [(moment.month, moment.day) for moment in begun[::-1]][:4] == [(11, 2), (12, 2), (1, 2), (2, 2)]


async def test_events_are_stamped_with_the_moment_they_were_due_and_in_order(shop: Shop) -> None:
    await shop.subscribe()
    await shop.subscribe("4000000000000341")
    await shop.pass_time(days=100)
    events = (await shop.api.v1.events.list_async({"limit": 100})).data
    stamps = [event.created for event in events]
    assert stamps == sorted(stamps, reverse=True)


async def test_a_day_that_a_month_lacks_comes_back_in_the_next(shop: Shop) -> None:
    shop.clock.advance_to(datetime(2027, 1, 31, 12, tzinfo=UTC))
    subscription = await shop.subscribe()
    ends = []
    for _ in range(3):
        end = datetime.fromtimestamp(period(await shop.subscription(subscription.id))[1], UTC)
        ends.append((end.month, end.day))
        shop.clock.advance_to(end + timedelta(hours=2))
    assert ends == [(2, 28), (3, 31), (4, 30)]


async def test_a_pause_in_collection_voids_invoices_and_ends_by_itself(shop: Shop) -> None:
    subscription = await shop.subscribe()
    await shop.api.v1.subscriptions.update_async(
        subscription.id, {"pause_collection": {"behavior": "void", "resumes_at": RENEWS + 5 * DAY}}
    )
    await shop.pass_time(days=31)
    held = await shop.subscription(subscription.id)
    assert held.status == "active"
    assert (await shop.api.v1.invoices.retrieve_async(str(held.latest_invoice))).status == "void"
    await shop.pass_time(days=31)
    again = await shop.subscription(subscription.id)
    assert again.pause_collection is None
    assert (await shop.api.v1.invoices.retrieve_async(str(again.latest_invoice))).status == "paid"


async def test_a_flowing_clock_carries_out_what_falls_due_without_a_jump(mailbox: Mailbox) -> None:
    clock = VirtualClock(flowing=True)
    emulator = StripeEmulator(clock, 1)
    async with emulator.serve(), emulator.people() as people:
        mailbox.secret = emulator.create_webhook_endpoint(mailbox.url, ["checkout.session.expired"])
        now = int(clock.now().timestamp())
        price: Any = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Tip"}}
        params = {"success_url": "http://shop.invalid/", "line_items": [{"price_data": price}], "expires_at": now + 1800}
        session = checkout.create(emulator.account, params)
        clock.advance(timedelta(seconds=1799))
        assert session["status"] == "open"
        async with asyncio.timeout(10):
            while not mailbox.events:  # noqa: ASYNC110 - real time has to pass
                await asyncio.sleep(0.05)
        with pytest.raises(Refused, match="expired"):
            await people.pay(session.id)


async def test_a_test_clock_moves_only_its_own_customers(shop: Shop) -> None:
    clock = await shop.api.v1.test_helpers.test_clocks.create_async({"frozen_time": START, "name": "a year"})
    customer = await shop.api.v1.customers.create_async({"test_clock": clock.id, "email": "clock@example.com"})
    method: Any = await shop.api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    made = await shop.api.v1.subscriptions.create_async(
        {"customer": customer.id, "items": [{"price": await shop.price()}], "default_payment_method": method.id}
    )
    other = await shop.subscribe()
    moved = await shop.api.v1.test_helpers.test_clocks.advance_async(clock.id, {"frozen_time": RENEWS + 2 * HOUR})
    assert moved.status == "advancing"
    ready = await shop.api.v1.test_helpers.test_clocks.retrieve_async(clock.id)
    assert (ready.status, ready.frozen_time) == ("ready", RENEWS + 2 * HOUR)
    assert period(await shop.subscription(made.id))[0] == RENEWS
    assert period(await shop.subscription(other.id))[0] == START
    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        await shop.api.v1.test_helpers.test_clocks.advance_async(clock.id, {"frozen_time": RENEWS + 100 * DAY})
