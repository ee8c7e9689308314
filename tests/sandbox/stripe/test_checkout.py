from typing import Any

import pytest
import stripe

from sandbox.stripe import Refused
from tests.sandbox.stripe.shop import Shop

TIP: Any = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Tip"}}, "quantity": 1}


async def test_a_good_card_makes_an_active_subscription_and_a_paid_invoice(shop: Shop) -> None:
    session = await shop.session(
        await shop.price(),
        client_reference_id="order-1",
        metadata={"order": "1"},
        subscription_data={"metadata": {"order": "1"}},
    )
    assert session.url
    place = await shop.people.pay(session.url, email="ann@example.com")
    assert place == f"http://shop.invalid/welcome?session={session.id}"
    paid = await shop.api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription.latest_invoice.payments", "customer"]})
    subscription: Any = paid.subscription
    invoice = subscription.latest_invoice
    assert (paid.status, paid.payment_status, paid.client_reference_id, paid.url) == ("complete", "paid", "order-1", None)
    assert (subscription.status, subscription.metadata["order"]) == ("active", "1")
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 999, "subscription_create")
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.payments.data[0].payment.type == "payment_intent"
    customer: Any = paid.customer
    assert customer.email == "ann@example.com"


async def test_a_declined_card_leaves_the_session_open_for_another(shop: Shop) -> None:
    session = await shop.session(await shop.price())
    assert await shop.people.decline(session.id) == "Your card was declined."
    again = await shop.api.v1.checkout.sessions.retrieve_async(session.id)
    assert (again.status, again.subscription) == ("open", None)
    await shop.people.pay(session.id)
    again = await shop.api.v1.checkout.sessions.retrieve_async(session.id)
    assert again.payment_status == "paid"
    assert len((await shop.api.v1.customers.list_async()).data) == 1


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000069", "Your card has expired."),
        ("4242424242424241", "Your card number is invalid."),
        ("4111111111111111", "Your card was declined. Your request was in test mode, but used a non test card."),
        ("", "Your card number is invalid."),
    ],
)
async def test_the_page_says_why_a_card_is_refused(shop: Shop, card: str, said: str) -> None:
    session = await shop.session(await shop.price())
    with pytest.raises(Refused, match=said):
        await shop.people.pay(session.id, card)


@pytest.mark.parametrize("card", ["4000002500003155", "4000002760003184"])
async def test_three_d_secure_completes_or_fails(shop: Shop, card: str) -> None:
    session = await shop.session(await shop.price())
    with pytest.raises(Refused, match="unable to authenticate"):
        await shop.people.pay(session.id, card, outcome="fail")
    await shop.people.pay(session.id, card)
    assert (await shop.api.v1.checkout.sessions.retrieve_async(session.id)).payment_status == "paid"


async def test_a_tip_of_a_guest_makes_no_customer(shop: Shop) -> None:
    session = await shop.api.v1.checkout.sessions.create_async(
        {"mode": "payment", "line_items": [TIP], "success_url": "http://shop.invalid/", "payment_intent_data": {"metadata": {"tip": "7"}}}
    )
    await shop.people.pay(session.id, email="guest@example.com")
    paid = await shop.api.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent.latest_charge.balance_transaction", "line_items"]}
    )
    intent: Any = paid.payment_intent
    assert (paid.customer, paid.amount_total, intent.status, intent.metadata["tip"]) == (None, 500, "succeeded", "7")
    assert paid.customer_details
    assert paid.customer_details.email == "guest@example.com"
    booked = intent.latest_charge.balance_transaction
    assert (booked.amount, booked.fee, booked.net) == (500, 45, 455)


async def test_a_saved_card_belongs_to_the_customer(shop: Shop) -> None:
    session = await shop.api.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "line_items": [TIP],
            "success_url": "http://shop.invalid/",
            "customer_creation": "always",
            "payment_intent_data": {"setup_future_usage": "off_session"},
        }
    )
    await shop.people.pay(session.id)
    paid = await shop.api.v1.checkout.sessions.retrieve_async(session.id)
    methods = await shop.api.v1.customers.payment_methods.list_async(str(paid.customer))
    assert [method.card.last4 for method in methods.data if method.card] == ["4242"]


async def test_a_session_expires_by_the_clock_and_says_so(shop: Shop) -> None:
    await shop.listen("checkout.session.expired")
    expires = int(shop.clock.now().timestamp()) + 1800
    session = await shop.session(await shop.price(), expires_at=expires)
    await shop.pass_time(minutes=29)
    assert shop.mailbox.events == []
    await shop.pass_time(minutes=31)
    assert [(event["type"], event["created"], event["data"]["object"]["id"]) for event in shop.mailbox.events] == [
        ("checkout.session.expired", expires, session.id)
    ]
    with pytest.raises(Refused, match="expired"):
        await shop.people.pay(session.id)


async def test_an_open_session_can_be_expired_once(shop: Shop) -> None:
    session = await shop.session(await shop.price())
    assert (await shop.api.v1.checkout.sessions.expire_async(session.id)).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="Only Checkout Sessions with a status in"):
        await shop.api.v1.checkout.sessions.expire_async(session.id)


async def test_a_paid_page_is_not_paid_twice(shop: Shop) -> None:
    session = await shop.session(await shop.price())
    await shop.people.pay(session.id)
    await shop.people.pay(session.id)
    assert len((await shop.api.v1.charges.list_async()).data) == 1


@pytest.mark.parametrize(
    ("currency", "account", "failing"),
    [("eur", "DE89370400440532013000", "DE62370400440532013001"), ("usd", "000123456789", "000111111116")],
)
async def test_a_bank_debit_succeeds_or_fails_days_later(shop: Shop, currency: str, account: str, failing: str) -> None:
    await shop.listen("checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed")
    price = await shop.price(currency=currency)
    sessions = [await shop.session(price) for _ in range(2)]
    for session, number in zip(sessions, (account, failing), strict=True):
        await shop.people.pay(session.id, bank_account=number)
        assert (await shop.api.v1.checkout.sessions.retrieve_async(session.id)).payment_status == "unpaid"
    await shop.pass_time(days=3)
    states = [await shop.api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription"]}) for session in sessions]
    subscriptions: list[Any] = [state.subscription for state in states]
    assert [state.payment_status for state in states] == ["paid", "unpaid"]
    assert [subscription.status for subscription in subscriptions] == ["active", "past_due"]
    assert sorted(shop.mailbox.types()) == [
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.completed",
    ]


async def test_a_trial_costs_nothing_today_and_is_paid_at_its_end(shop: Shop) -> None:
    session = await shop.session(await shop.price(), subscription_data={"trial_period_days": 7})
    assert session.amount_total == 0
    await shop.people.pay(session.id)
    done = await shop.api.v1.checkout.sessions.retrieve_async(session.id)
    subscription = await shop.subscription(str(done.subscription))
    assert (done.payment_status, subscription.status) == ("no_payment_required", "trialing")
    assert (await shop.api.v1.charges.list_async()).data == []
    await shop.pass_time(days=7, hours=1)
    assert (await shop.subscription(subscription.id)).status == "active"
    assert [charge.amount for charge in (await shop.api.v1.charges.list_async()).data] == [999]


async def test_a_trial_without_a_card_ends_as_it_was_told_to(shop: Shop) -> None:
    ended = []
    for behavior in ("cancel", "pause"):
        session = await shop.session(
            await shop.price(),
            payment_method_collection="if_required",
            subscription_data={"trial_period_days": 7, "trial_settings": {"end_behavior": {"missing_payment_method": behavior}}},
        )
        await shop.people.pay(session.id)
        ended.append(str((await shop.api.v1.checkout.sessions.retrieve_async(session.id)).subscription))
    await shop.pass_time(days=7)
    canceled, paused = [await shop.subscription(identifier) for identifier in ended]
    assert (canceled.status, paused.status) == ("canceled", "paused")
    assert paused.status_details
    assert paused.status_details.paused.subscription.type == "trial_end_without_payment_method"


async def test_a_promotion_code_typed_on_the_page_lowers_the_price(shop: Shop) -> None:
    coupon = await shop.api.v1.coupons.create_async({"percent_off": 25, "duration": "once"})
    code = await shop.api.v1.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "Friends", "max_redemptions": 1}
    )
    session = await shop.session(await shop.price(1000), allow_promotion_codes=True)
    with pytest.raises(Refused, match="This code is invalid"):
        await shop.people.pay(session.id, promotion_code="nobody")
    await shop.people.pay(session.id, promotion_code="friends")
    paid = await shop.api.v1.checkout.sessions.retrieve_async(session.id)
    assert (paid.amount_subtotal, paid.amount_total) == (1000, 750)
    invoice = await shop.api.v1.invoices.retrieve_async(str(paid.invoice), {"expand": ["discounts"]})
    line: Any = invoice.lines.data[0]
    assert (invoice.amount_paid, line.discount_amounts[0].amount) == (750, 250)
    used = await shop.api.v1.promotion_codes.retrieve_async(code.id)
    assert (used.times_redeemed, used.active) == (1, False)
    await shop.pass_time(days=31)
    renewal = await shop.api.v1.invoices.list_async({"limit": 1})
    assert renewal.data[0].total == 1000


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"customer": "cus_1", "customer_email": "a@b.example"}, "customer_email"),
        ({"allow_promotion_codes": True, "discounts": [{"coupon": "x"}]}, "discounts"),
        ({"payment_intent_data": {"description": "x"}}, "payment_intent_data"),
        ({"success_url": "shop"}, "success_url"),
        ({"expires_at": 1}, "expires_at"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"line_items": [{"price": "price_nope"}]}, "line_items[0][price]"),
        ({"line_items": [{"price_data": {"currency": "usd", "unit_amount": 1}}]}, "line_items[0][price_data][product]"),
        ({"subscription_data": {"trial_period_dayz": 3}}, "subscription_data[trial_period_dayz]"),
    ],
)
async def test_what_does_not_fit_is_refused_by_name(shop: Shop, params: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.session(await shop.price(), **params)
    assert refused.value.param == param


async def test_an_amount_below_the_minimum_is_refused(shop: Shop) -> None:
    small: Any = {"price_data": {"currency": "usd", "unit_amount": 49, "product_data": {"name": "Tip"}}}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.api.v1.checkout.sessions.create_async({"mode": "payment", "line_items": [small], "success_url": "http://shop.invalid/"})
    assert refused.value.code == "amount_too_small"


async def test_a_name_with_markup_is_escaped_on_the_page(shop: Shop) -> None:
    evil: Any = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "<script>alert(1)</script>"}}}
    session = await shop.api.v1.checkout.sessions.create_async(
        {"mode": "payment", "line_items": [evil], "success_url": "http://shop.invalid/"}
    )
    text = await shop.people.look(str(session.url))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("archived", ["price", "product"])
async def test_what_is_archived_is_sold_no_more_and_goes_on_renewing(shop: Shop, archived: str) -> None:
    price = await shop.price()
    subscription = await shop.subscribe(price=price)
    if archived == "price":
        await shop.api.v1.prices.update_async(price, {"active": False})
    else:
        product = (await shop.api.v1.prices.retrieve_async(price)).product
        await shop.api.v1.products.update_async(str(product), {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        await shop.session(price)
    await shop.pass_time(days=31)
    assert (await shop.subscription(subscription.id)).status == "active"


async def test_a_card_set_up_in_a_trial_renews_by_itself(shop: Shop) -> None:
    subscription = await shop.subscribe("4000002500003155", subscription_data={"trial_period_days": 7})
    await shop.pass_time(days=8)
    assert (await shop.subscription(subscription.id)).status == "active"


async def test_a_card_saved_with_three_d_secure_pays_without_its_owner(shop: Shop) -> None:
    session = await shop.api.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "line_items": [TIP],
            "success_url": "http://shop.invalid/",
            "customer_creation": "always",
            "payment_intent_data": {"setup_future_usage": "off_session"},
        }
    )
    await shop.people.pay(session.id, "4000002500003155")
    customer = str((await shop.api.v1.checkout.sessions.retrieve_async(session.id)).customer)
    method = (await shop.api.v1.customers.payment_methods.list_async(customer)).data[0]
    again = await shop.api.v1.payment_intents.create_async(
        {"amount": 500, "currency": "usd", "customer": customer, "payment_method": method.id, "confirm": True, "off_session": True}
    )
    assert again.status == "succeeded"
