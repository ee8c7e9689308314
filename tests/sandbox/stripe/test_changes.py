"""Canceling, changing, pausing and resuming what people subscribe to."""

from typing import Any

import pytest
import stripe

from sandbox.stripe import Refused
from tests.sandbox.stripe.shop import Shop

DAY = 86_400


async def test_a_cancel_at_period_end_keeps_the_subscription_active_till_then(shop: Shop) -> None:
    subscription = await shop.subscribe()
    await shop.listen("customer.subscription.updated", "customer.subscription.deleted")
    end = subscription["items"].data[0].current_period_end
    page = await shop.people.cancel_subscription(await shop.portal(str(subscription.customer)))
    assert "Keep my subscription" in page
    asked = await shop.subscription(subscription.id)
    assert (asked.status, asked.cancel_at_period_end, asked.cancel_at) == ("active", True, end)
    await shop.pass_time(days=29)
    assert (await shop.subscription(subscription.id)).status == "active"
    await shop.pass_time(days=2)
    over = await shop.subscription(subscription.id)
    assert (over.status, over.ended_at) == ("canceled", end)
    assert over.cancellation_details
    assert over.cancellation_details.reason == "cancellation_requested"
    assert shop.mailbox.types() == ["customer.subscription.updated", "customer.subscription.deleted"]
    assert len((await shop.api.v1.invoices.list_async({"subscription": subscription.id})).data) == 1


async def test_a_cancel_can_be_taken_back_on_the_portal(shop: Shop) -> None:
    subscription = await shop.subscribe()
    portal = await shop.portal(str(subscription.customer))
    await shop.people.cancel_subscription(portal)
    await shop.people.resume_subscription(portal)
    kept = await shop.subscription(subscription.id)
    assert (kept.cancel_at_period_end, kept.cancel_at, kept.canceled_at) == (False, None, None)
    with pytest.raises(Refused, match="no button to resume"):
        await shop.people.resume_subscription(portal)
    await shop.pass_time(days=31)
    assert (await shop.subscription(subscription.id)).status == "active"


async def test_a_cancel_now_ends_it_now_and_only_once(shop: Shop) -> None:
    subscription = await shop.subscribe()
    over = await shop.api.v1.subscriptions.cancel_async(subscription.id)
    assert over.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.api.v1.subscriptions.cancel_async(subscription.id)
    assert refused.value.code == "resource_missing"
    await shop.pass_time(days=40)
    assert len((await shop.api.v1.invoices.list_async({"subscription": subscription.id})).data) == 1
    assert [row.id for row in (await shop.api.v1.subscriptions.list_async({"status": "all"})).data] == [subscription.id]
    assert (await shop.api.v1.subscriptions.list_async()).data == []


async def test_a_cancel_at_a_moment_ends_it_then(shop: Shop) -> None:
    subscription = await shop.subscribe()
    due = int(shop.clock.now().timestamp()) + 10 * DAY
    await shop.api.v1.subscriptions.update_async(subscription.id, {"cancel_at": due})
    await shop.pass_time(days=11)
    assert (await shop.subscription(subscription.id)).ended_at == due


async def test_an_upgrade_is_prorated_onto_the_next_invoice(shop: Shop) -> None:
    subscription = await shop.subscribe(price=await shop.price(1000))
    dear = await shop.price(2000)
    await shop.pass_time(days=15)
    item = subscription["items"].data[0].id
    changed = await shop.api.v1.subscriptions.update_async(subscription.id, {"items": [{"id": item, "price": dear}]})
    assert [each.price.id for each in changed["items"].data] == [dear]
    await shop.pass_time(days=16)
    renewal = (await shop.api.v1.invoices.list_async({"limit": 1})).data[0]
    assert [line.amount for line in renewal.lines.data] == [-500, 1000, 2000]
    assert renewal.total == 2500


async def test_an_upgrade_can_be_billed_at_once(shop: Shop) -> None:
    subscription = await shop.subscribe(price=await shop.price(1000))
    dear = await shop.price(3000)
    await shop.pass_time(days=15)
    item = subscription["items"].data[0].id
    await shop.api.v1.subscriptions.update_async(
        subscription.id, {"items": [{"id": item, "price": dear}], "proration_behavior": "always_invoice"}
    )
    invoice = (await shop.api.v1.invoices.list_async({"limit": 1})).data[0]
    assert (invoice.billing_reason, invoice.total, invoice.status) == ("subscription_update", 1000, "paid")


async def test_another_interval_begins_a_new_period_now(shop: Shop) -> None:
    subscription = await shop.subscribe(price=await shop.price(1000))
    yearly = await shop.price(10_000, "year")
    await shop.pass_time(days=15)
    now = int(shop.clock.now().timestamp())
    item = subscription["items"].data[0].id
    changed = await shop.api.v1.subscriptions.update_async(subscription.id, {"items": [{"id": item, "price": yearly}]})
    period = changed["items"].data[0]
    assert (period.current_period_start, period.current_period_end) == (now, now + 365 * DAY)
    invoice = (await shop.api.v1.invoices.list_async({"limit": 1})).data[0]
    assert (invoice.total, invoice.status) == (9_500, "paid")


async def test_an_upgrade_that_waits_for_its_payment_changes_nothing_until_paid(shop: Shop) -> None:
    subscription = await shop.subscribe("4000000000000341", await shop.price(1000))
    dear = await shop.price(2000)
    await shop.pass_time(days=15)
    item = subscription["items"].data[0].id
    change: Any = {
        "items": [{"id": item, "price": dear}],
        "payment_behavior": "pending_if_incomplete",
        "proration_behavior": "always_invoice",
    }
    held = await shop.api.v1.subscriptions.update_async(subscription.id, change)
    assert held.pending_update
    assert (held.status, held["items"].data[0].price.unit_amount) == ("active", 1000)
    invoice = await shop.api.v1.invoices.retrieve_async(str(held.latest_invoice))
    await shop.people.pay_invoice(str(invoice.hosted_invoice_url))
    done = await shop.subscription(subscription.id)
    assert (done.pending_update, done["items"].data[0].price.unit_amount) == (None, 2000)


async def test_an_upgrade_never_paid_is_dropped_after_a_day(shop: Shop) -> None:
    subscription = await shop.subscribe("4000000000000341", await shop.price(1000))
    item = subscription["items"].data[0].id
    change: Any = {"items": [{"id": item, "price": await shop.price(2000)}], "payment_behavior": "pending_if_incomplete"}
    await shop.api.v1.subscriptions.update_async(subscription.id, change)
    await shop.pass_time(days=1)
    dropped = await shop.subscription(subscription.id)
    assert (dropped.pending_update, dropped.status) == (None, "active")
    assert (await shop.api.v1.invoices.retrieve_async(str(dropped.latest_invoice))).status == "void"


async def test_a_gift_of_time_moves_the_next_payment(shop: Shop) -> None:
    subscription = await shop.subscribe()
    later = int(shop.clock.now().timestamp()) + 60 * DAY
    moved = await shop.api.v1.subscriptions.update_async(subscription.id, {"trial_end": later, "proration_behavior": "none"})
    assert (moved.status, moved["items"].data[0].current_period_end) == ("trialing", later)
    await shop.pass_time(days=59)
    assert len((await shop.api.v1.charges.list_async()).data) == 1
    await shop.pass_time(days=2)
    assert (await shop.subscription(subscription.id)).status == "active"
    assert len((await shop.api.v1.charges.list_async()).data) == 2


async def test_ending_a_trial_now_bills_now(shop: Shop) -> None:
    subscription = await shop.subscribe(subscription_data={"trial_period_days": 30})
    ended = await shop.api.v1.subscriptions.update_async(subscription.id, {"trial_end": "now"})
    assert ended.status == "active"
    assert len((await shop.api.v1.charges.list_async()).data) == 1


async def test_a_paused_subscription_is_resumed_with_a_new_period(shop: Shop) -> None:
    subscription = await shop.subscribe()
    await shop.listen("customer.subscription.paused", "customer.subscription.resumed")
    paused = await shop.api.v1.subscriptions.pause_async(subscription.id)
    assert paused.status == "paused"
    await shop.pass_time(days=45)
    assert len((await shop.api.v1.charges.list_async()).data) == 1
    resumed = await shop.api.v1.subscriptions.resume_async(subscription.id)
    assert resumed.status == "active"
    assert resumed["items"].data[0].current_period_start == int(shop.clock.now().timestamp())
    assert len((await shop.api.v1.charges.list_async()).data) == 2
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.types() == ["customer.subscription.paused", "customer.subscription.resumed"]


async def test_deleting_a_customer_cancels_what_they_subscribed_to(shop: Shop) -> None:
    subscription = await shop.subscribe()
    await shop.api.v1.customers.delete_async(str(subscription.customer))
    assert (await shop.subscription(subscription.id)).status == "canceled"
    gone = await shop.api.v1.customers.retrieve_async(str(subscription.customer))
    assert gone.deleted is True


async def test_a_first_payment_that_never_comes_expires_the_subscription(shop: Shop) -> None:
    customer = await shop.api.v1.customers.create_async({"email": "slow@example.com"})
    made = await shop.api.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": await shop.price()}],
            "payment_behavior": "default_incomplete",
            "expand": ["latest_invoice.confirmation_secret"],
        }
    )
    invoice: Any = made.latest_invoice
    assert made.status == "incomplete"
    assert "_secret_" in invoice.confirmation_secret.client_secret
    await shop.pass_time(hours=23)
    assert (await shop.subscription(made.id)).status == "incomplete_expired"
    assert (await shop.api.v1.invoices.retrieve_async(invoice.id)).status == "void"


async def test_confirming_the_first_payment_makes_the_subscription_active(shop: Shop) -> None:
    customer = await shop.api.v1.customers.create_async({"email": "slow@example.com"})
    made = await shop.api.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": await shop.price()}],
            "payment_behavior": "default_incomplete",
            "expand": ["latest_invoice.payments"],
        }
    )
    invoice: Any = made.latest_invoice
    intent = invoice.payments.data[0].payment.payment_intent
    await shop.api.v1.payment_intents.confirm_async(intent, {"payment_method": "pm_card_visa"})
    assert (await shop.subscription(made.id)).status == "active"


async def test_credit_on_the_balance_lowers_the_next_invoice(shop: Shop) -> None:
    subscription = await shop.subscribe(price=await shop.price(1000))
    customer = str(subscription.customer)
    await shop.api.v1.customers.balance_transactions.create_async(customer, {"amount": -300, "currency": "usd"})
    await shop.pass_time(days=31)
    renewal = (await shop.api.v1.invoices.list_async({"limit": 1})).data[0]
    assert (renewal.total, renewal.amount_due, renewal.amount_paid) == (1000, 700, 700)
    assert (await shop.api.v1.customers.retrieve_async(customer)).balance == 0


async def test_a_strangers_portal_cannot_touch_my_subscription(shop: Shop) -> None:
    mine = await shop.subscribe()
    other = await shop.subscribe()
    portal = await shop.portal(str(other.customer))
    with pytest.raises(Refused):
        await shop.people.cancel_subscription(portal, mine.id)
    with pytest.raises(Refused, match="not your subscription"):
        await shop.people._post(portal, {"action": "cancel", "subscription": mine.id})
    assert (await shop.subscription(mine.id)).cancel_at_period_end is False


async def test_a_portal_link_expires(shop: Shop) -> None:
    subscription = await shop.subscribe()
    portal = await shop.portal(str(subscription.customer))
    await shop.pass_time(hours=2)
    with pytest.raises(Refused, match="expired"):
        await shop.people.cancel_subscription(portal)


async def test_a_schedule_changes_the_price_with_the_next_period_and_lets_go(shop: Shop) -> None:
    subscription = await shop.subscribe(price=await shop.price(999))
    cheaper = await shop.price(500)
    item = subscription["items"].data[0]
    made = await shop.api.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    now, then = {"items": [{"price": item.price.id}]}, {"items": [{"price": cheaper}]}
    phases: Any = [
        {**now, "start_date": item.current_period_start, "end_date": item.current_period_end},
        {**then, "start_date": item.current_period_end},
    ]
    await shop.api.v1.subscription_schedules.update_async(made.id, {"end_behavior": "release", "phases": phases})
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        await shop.api.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError, match="already attached to a schedule"):
        await shop.api.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    await shop.pass_time(days=32)
    after = await shop.subscription(subscription.id)
    assert (after["items"].data[0].price.id, after.schedule, after.status) == (cheaper, None, "active")
    invoices = (await shop.api.v1.invoices.list_async({"subscription": subscription.id})).data
    assert [invoice.total for invoice in invoices] == [500, 999]
    assert (await shop.api.v1.subscription_schedules.retrieve_async(made.id)).status == "released"


async def test_a_released_schedule_changes_nothing(shop: Shop) -> None:
    subscription = await shop.subscribe()
    made = await shop.api.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    await shop.api.v1.subscription_schedules.release_async(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="`released` status"):
        await shop.api.v1.subscription_schedules.release_async(made.id)
    await shop.api.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
    assert (await shop.subscription(subscription.id)).schedule is None


async def test_a_code_for_some_products_is_refused_where_none_of_them_is_sold(shop: Shop) -> None:
    product = await shop.api.v1.products.create_async({"name": "Silver"})
    coupon = await shop.api.v1.coupons.create_async({"percent_off": 20, "applies_to": {"products": [product.id]}})
    await shop.api.v1.promotion_codes.create_async({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SILVER"})
    session = await shop.session(await shop.price(), allow_promotion_codes=True)
    assert session.url
    with pytest.raises(Refused, match="not for anything on this page"):
        await shop.people.pay(session.url, promotion_code="SILVER")
