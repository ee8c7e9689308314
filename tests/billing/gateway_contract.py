"""What every payment gateway must do: subclass :class:`GatewayContract` and give it a ``till`` fixture."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

import pytest

from core.errors import PermanentError
from core.money import Money
from core.payments import (
    ChangeTiming,
    CheckoutRequest,
    CheckoutSnapshot,
    CheckoutStatus,
    Interval,
    IntervalUnit,
    PaymentGateway,
    PaymentState,
    SubscriptionSnapshot,
)
from core.promotions import CodeTerms, Discount

MONTH = Interval(IntervalUnit.MONTH)
PRICE = Money(999, "USD")
TIP = Money(500, "USD")
TYPED = "fan@example.com"
"""What people type at the checkout."""


class Till(Protocol):
    """A gateway and the world around it: the processor's clock, people who pay, and a creator who gives money back."""

    gateway: PaymentGateway

    def now(self) -> datetime:
        """Return the processor's time."""
        ...

    async def advance(self, delta: timedelta) -> None:
        """Let time pass, and all that falls due in it happen."""
        ...

    async def pay(self, url: str) -> None:
        """Pay on a Checkout Session's page with a good card."""
        ...

    async def refund(self, payment_intent: str, amount: Money | None = None) -> None:
        """Give back all or ``amount`` of a payment."""
        ...


class GatewayContract:
    """The till's world starts empty for each test."""

    async def price(self, till: Till, interval: Interval = MONTH, price: Money = PRICE) -> tuple[str, str]:
        """Return the ids of a new product and its price."""
        product = await till.gateway.create_product("Gold", "", {"plan": "plan-1"}, key="product:1")
        return product, await till.gateway.create_price(product, price, interval, {"plan": "plan-1"}, key=f"price:1:{interval}")

    async def request(self, till: Till, number: int = 1, interval: Interval = MONTH) -> CheckoutRequest:
        _, price = await self.price(till, interval)
        return CheckoutRequest(
            reference=f"order-{number}",
            kind="order",
            recurring=interval.recurring,
            success_url="https://door.example/welcome/order-1",
            cancel_url="https://door.example/j/code",
            expires_at=till.now().replace(microsecond=0) + timedelta(hours=1),
            price=price,
        )

    async def tip(self, till: Till) -> CheckoutRequest:
        order = await self.request(till, interval=Interval(IntervalUnit.ONCE))
        return replace(order, reference="tip-1", kind="tip", price="", amount=TIP, name="A tip for Ann")

    async def bought(self, till: Till, request: CheckoutRequest) -> CheckoutSnapshot:
        """Open a session, pay it, and return it as it is then."""
        session = await till.gateway.create_checkout(request, key=f"checkout:{request.reference}")
        await till.pay(session.url)
        return await till.gateway.checkout(session.external_id)

    async def subscribed(self, till: Till, number: int = 1) -> SubscriptionSnapshot:
        session = await self.bought(till, await self.request(till, number))
        return await till.gateway.subscription(session.subscription)

    async def test_the_account_behind_the_key_can_charge(self, till: Till) -> None:
        account = await till.gateway.account()

        assert account.external_id
        assert account.charges_enabled
        assert not account.livemode
        assert len(account.default_currency) == 3
        assert account.default_currency.isupper()

    async def test_a_new_session_is_open_and_carries_our_order(self, till: Till) -> None:
        request = await self.request(till)

        session = await till.gateway.create_checkout(request, key="checkout:1")

        assert session.url.startswith("http")
        assert (session.status, session.payment) == (CheckoutStatus.OPEN, PaymentState.UNPAID)
        assert (session.reference, session.kind) == ("order-1", "order")
        assert session.total == PRICE
        assert session.expires_at == request.expires_at
        assert await till.gateway.checkout(session.external_id) == session

    async def test_the_same_key_makes_one_thing(self, till: Till) -> None:
        request = await self.request(till)

        first = await till.gateway.create_checkout(request, key="checkout:1")

        assert await till.gateway.create_checkout(request, key="checkout:1") == first
        assert await self.price(till) == await self.price(till)

    async def test_another_key_makes_another(self, till: Till) -> None:
        request = await self.request(till)

        first = await till.gateway.create_checkout(request, key="checkout:1")

        assert (await till.gateway.create_checkout(request, key="checkout:2")).external_id != first.external_id

    async def test_the_same_key_for_another_thing_is_refused(self, till: Till) -> None:
        request = await self.request(till)
        await till.gateway.create_checkout(request, key="checkout:1")

        with pytest.raises(PermanentError) as refused:
            await till.gateway.create_checkout(replace(request, reference="order-2"), key="checkout:1")

        assert refused.value.code == "idempotency"

    async def test_an_expired_session_stays_expired(self, till: Till) -> None:
        session = await till.gateway.create_checkout(await self.request(till), key="checkout:1")

        first = await till.gateway.expire_checkout(session.external_id)
        await till.advance(timedelta(days=2))
        again = await till.gateway.expire_checkout(session.external_id)

        assert (first.status, again.status) == (CheckoutStatus.EXPIRED, CheckoutStatus.EXPIRED)
        assert first.url == ""

    async def test_a_session_nobody_paid_expires_when_it_said(self, till: Till) -> None:
        session = await till.gateway.create_checkout(await self.request(till), key="checkout:1")

        await till.advance(timedelta(hours=1, seconds=1))

        assert (await till.gateway.checkout(session.external_id)).status is CheckoutStatus.EXPIRED

    async def test_a_paid_session_cannot_be_expired(self, till: Till) -> None:
        session = await self.bought(till, await self.request(till))

        assert await till.gateway.expire_checkout(session.external_id) == session

    async def test_paying_makes_a_subscription_of_our_order(self, till: Till) -> None:
        request = await self.request(till)

        session = await self.bought(till, request)
        subscription = await till.gateway.subscription(session.subscription)

        assert (session.status, session.payment) == (CheckoutStatus.COMPLETE, PaymentState.PAID)
        assert subscription.status == "active"
        assert subscription.reference == "order-1"
        assert subscription.customer == session.customer != ""
        assert subscription.prices == (request.price,)
        assert timedelta(days=28) <= subscription.period_end - subscription.created_at <= timedelta(days=31)
        assert (subscription.trial_end, subscription.cancel_at, subscription.ended_at) == (None, None, None)

    async def test_a_subscriptions_money_can_be_followed(self, till: Till) -> None:
        subscription = await self.subscribed(till)

        invoice = await till.gateway.invoice(subscription.latest_invoice)
        payment = await till.gateway.payment(invoice.payment_intents[0])

        assert (invoice.status, invoice.total, invoice.paid) == ("paid", PRICE, PRICE)
        assert (invoice.subscription, invoice.reference) == (subscription.external_id, "order-1")
        assert (payment.status, payment.received, payment.refunded) == ("succeeded", PRICE, Money(0, "USD"))
        assert (payment.subscription, payment.invoice) == (subscription.external_id, invoice.external_id)
        assert (payment.reference, payment.kind) == ("order-1", "order")
        assert payment.customer == subscription.customer
        assert payment.fee is not None
        assert payment.fee.minor > 0

    async def test_a_trial_takes_nothing_yet(self, till: Till) -> None:
        session = await self.bought(till, replace(await self.request(till), trial_days=7))
        subscription = await till.gateway.subscription(session.subscription)

        assert session.payment in {PaymentState.NOTHING_DUE, PaymentState.PAID}
        assert session.total == Money(0, "USD")
        assert subscription.status == "trialing"
        assert subscription.trial_end == subscription.period_end
        assert abs(subscription.period_end - till.now() - timedelta(days=7)) < timedelta(minutes=1)

    @pytest.mark.parametrize("interval", [Interval(IntervalUnit.ONCE), Interval(IntervalUnit.DAYS, 30)])
    async def test_what_is_paid_once_makes_a_payment_of_our_order(self, till: Till, interval: Interval) -> None:
        session = await self.bought(till, await self.request(till, interval=interval))
        payment = await till.gateway.payment(session.payment_intent)

        assert (session.payment, session.total, session.subscription) == (PaymentState.PAID, PRICE, "")
        assert (payment.reference, payment.kind) == ("order-1", "order")
        assert payment.customer == session.customer != ""
        assert (payment.received, payment.subscription, payment.invoice) == (PRICE, "", "")

    @pytest.mark.parametrize("unit", [IntervalUnit.WEEK, IntervalUnit.YEAR])
    async def test_a_subscription_lasts_as_long_as_its_interval(self, till: Till, unit: IntervalUnit) -> None:
        session = await self.bought(till, await self.request(till, interval=Interval(unit)))
        subscription = await till.gateway.subscription(session.subscription)

        assert (subscription.period_end - subscription.created_at).days in {IntervalUnit.WEEK: {7}, IntervalUnit.YEAR: {365, 366}}[unit]

    async def test_a_tip_is_known_by_its_payment(self, till: Till) -> None:
        session = await self.bought(till, await self.tip(till))
        payment = await till.gateway.payment(session.payment_intent)

        assert (session.total, session.kind) == (TIP, "tip")
        assert (payment.received, payment.reference, payment.kind) == (TIP, "tip-1", "tip")

    async def test_a_currency_without_cents_is_not_multiplied(self, till: Till) -> None:
        session = await self.bought(till, replace(await self.tip(till), amount=Money(500, "JPY")))

        assert (await till.gateway.payment(session.payment_intent)).received == Money(500, "JPY")

    async def test_a_known_customer_stays_the_same(self, till: Till) -> None:
        customer = await till.gateway.create_customer("Ann", {"member": "member-1"}, key="customer:1")

        first = await self.bought(till, replace(await self.request(till), customer=customer))
        second = await self.bought(till, replace(await self.tip(till), customer=customer))

        assert (first.customer, second.customer) == (customer, customer)

    async def test_a_customer_is_found_by_exactly_the_address_they_typed(self, till: Till) -> None:
        customer = await till.gateway.create_customer("Ann", {"member": "member-1"}, key="customer:1")
        await self.bought(till, replace(await self.request(till), customer=customer))

        assert list(await till.gateway.customers_with(TYPED)) == [customer]
        assert list(await till.gateway.customers_with(f"x{TYPED}")) == []

    async def test_a_part_and_then_the_rest_are_given_back(self, till: Till) -> None:
        session = await self.bought(till, await self.tip(till))

        await till.refund(session.payment_intent, Money(200, "USD"))
        part = await till.gateway.payment(session.payment_intent)
        await till.refund(session.payment_intent)
        whole = await till.gateway.payment(session.payment_intent)

        assert (part.refunded, part.received) == (Money(200, "USD"), TIP)
        assert [refund.amount for refund in part.refunds] == [Money(200, "USD")]
        assert whole.refunded == TIP
        assert sorted(refund.amount for refund in whole.refunds) == [Money(200, "USD"), Money(300, "USD")]
        assert {refund.status for refund in whole.refunds} == {"succeeded"}

    async def test_a_charge_is_its_payment(self, till: Till) -> None:
        session = await self.bought(till, await self.tip(till))
        payment = await till.gateway.payment(session.payment_intent)

        assert await till.gateway.payment(payment.charge) == payment

    async def test_a_renewal_moves_the_end_and_keeps_our_order(self, till: Till) -> None:
        before = await self.subscribed(till)

        await till.advance(before.period_end - till.now() + timedelta(days=1))
        after = await till.gateway.subscription(before.external_id)
        invoice = await till.gateway.invoice(after.latest_invoice)

        assert after.period_end > before.period_end
        assert (after.status, after.reference) == ("active", "order-1")
        assert after.latest_invoice != before.latest_invoice
        assert (invoice.status, invoice.reference) == ("paid", "order-1")

    async def test_cancelling_at_the_end_keeps_what_is_paid_for(self, till: Till) -> None:
        paid = await self.subscribed(till)

        ending = await till.gateway.cancel_subscription(paid.external_id, at_period_end=True, key="cancel:1")
        await till.advance(paid.period_end - till.now() + timedelta(hours=1))
        ended = await till.gateway.subscription(paid.external_id)

        assert (ending.status, ending.cancel_at_period_end, ending.period_end) == ("active", True, paid.period_end)
        assert ended.status == "canceled"
        assert ended.ended_at == paid.period_end

    async def test_cancelling_now_ends_it_and_twice_is_once(self, till: Till) -> None:
        paid = await self.subscribed(till)

        first = await till.gateway.cancel_subscription(paid.external_id, at_period_end=False, key="cancel:1")
        again = await till.gateway.cancel_subscription(paid.external_id, at_period_end=False, key="cancel:2")
        later = await till.gateway.cancel_subscription(paid.external_id, at_period_end=True, key="cancel:3")

        assert first.status == again.status == later.status == "canceled"
        assert first.ended_at == again.ended_at is not None

    async def test_every_subscription_is_listed_newest_first(self, till: Till) -> None:
        made = []
        for number in (1, 2, 3):
            made.append(await self.subscribed(till, number))
            await till.advance(timedelta(minutes=1))
        await till.gateway.cancel_subscription(made[1].external_id, at_period_end=False, key="cancel:2")

        listed = [subscription async for subscription in till.gateway.subscriptions()]

        assert [subscription.external_id for subscription in listed] == [one.external_id for one in reversed(made)]
        assert [subscription.status for subscription in listed] == ["active", "canceled", "active"]

    async def test_events_tell_what_happened_since_oldest_first(self, till: Till) -> None:
        first = await self.subscribed(till, 1)
        await till.advance(timedelta(hours=1))
        since = till.now()
        await till.advance(timedelta(hours=1))
        second = await self.subscribed(till, 2)
        types = ["customer.subscription.created", "checkout.session.completed"]

        everything = [event async for event in till.gateway.events(since - timedelta(hours=3), types, undelivered=False)]
        recent = [event async for event in till.gateway.events(since, types, undelivered=False)]

        assert {event.type for event in everything} == set(types)
        assert all(one.created_at <= other.created_at for one, other in pairwise(everything))
        subscriptions = [event.object_id for event in everything if event.type == types[0]]
        assert subscriptions == [first.external_id, second.external_id]
        assert second.external_id in {event.object_id for event in recent}
        assert first.external_id not in {event.object_id for event in recent}

    async def test_an_archived_product_is_sold_no_more(self, till: Till) -> None:
        request = await self.request(till)
        product, _ = await self.price(till)

        await till.gateway.archive_product(product, key="archive:1")

        with pytest.raises(PermanentError):
            await till.gateway.create_checkout(request, key="checkout:1")

    async def test_a_subscription_to_an_archived_product_goes_on(self, till: Till) -> None:
        paid = await self.subscribed(till)
        product, _ = await self.price(till)

        await till.gateway.archive_product(product, key="archive:1")
        await till.advance(paid.period_end - till.now() + timedelta(days=1))

        assert (await till.gateway.subscription(paid.external_id)).status == "active"

    async def other(self, till: Till, amount: int, interval: Interval = MONTH) -> str:
        """Return the id of another price of the same product."""
        product, _ = await self.price(till)
        return await till.gateway.create_price(product, Money(amount, "USD"), interval, {}, key=f"price:{amount}:{interval}")

    async def test_a_change_that_is_paid_is_there_at_once_and_twice_is_once(self, till: Till) -> None:
        paid, dearer = await self.subscribed(till), await self.other(till, 1999)

        first = await till.gateway.change_price(paid.external_id, dearer, ChangeTiming.PAID, key="move:1")
        again = await till.gateway.change_price(paid.external_id, dearer, ChangeTiming.PAID, key="move:1")

        assert first.prices == again.prices == (dearer,)
        assert not first.waits
        assert first.latest_invoice == again.latest_invoice != paid.latest_invoice

    async def test_a_change_planned_for_the_period_s_end_comes_with_it_and_twice_is_once(self, till: Till) -> None:
        paid, cheaper = await self.subscribed(till), await self.other(till, 500)

        planned = await till.gateway.change_price(paid.external_id, cheaper, ChangeTiming.PERIOD_END, key="move:1")
        again = await till.gateway.change_price(paid.external_id, cheaper, ChangeTiming.PERIOD_END, key="move:1")
        await till.advance(paid.period_end - till.now() + timedelta(hours=2))
        changed = await till.gateway.subscription(paid.external_id)

        assert (planned.planned, planned.prices) == (again.planned, again.prices) == (True, paid.prices)
        assert (changed.planned, changed.prices, changed.status) == (False, (cheaper,), "active")
        assert (await till.gateway.invoice(changed.latest_invoice)).total == Money(500, "USD")

    async def test_what_is_planned_gives_way_to_another_change_and_to_a_cancel(self, till: Till) -> None:
        paid, cheaper, dearer = await self.subscribed(till), await self.other(till, 500), await self.other(till, 1999)

        await till.gateway.change_price(paid.external_id, cheaper, ChangeTiming.PERIOD_END, key="move:1")
        moved = await till.gateway.change_price(paid.external_id, dearer, ChangeTiming.PAID, key="move:2")
        await till.gateway.change_price(paid.external_id, cheaper, ChangeTiming.PERIOD_END, key="move:3")
        ending = await till.gateway.cancel_subscription(paid.external_id, at_period_end=True, key="cancel:1", reason="unused")

        assert (moved.planned, moved.prices) == (False, (dearer,))
        assert (ending.planned, ending.cancel_at_period_end) == (False, True)

    async def test_a_payment_that_is_moved_is_due_then_and_not_before(self, till: Till) -> None:
        paid = await self.subscribed(till)
        until = paid.period_end + timedelta(days=10)

        moved = await till.gateway.extend(paid.external_id, until, key="extend:1")
        await till.advance(paid.period_end - till.now() + timedelta(days=1))
        meanwhile = await till.gateway.subscription(paid.external_id)
        await till.advance(timedelta(days=10))
        after = await till.gateway.subscription(paid.external_id)

        assert (moved.period_end, meanwhile.period_end) == (until, until)
        assert (meanwhile.status, after.status) == ("trialing", "active")
        assert (await till.gateway.invoice(after.latest_invoice)).total == PRICE

    async def test_a_pause_is_known_and_ends_by_itself_or_sooner(self, till: Till) -> None:
        paid = await self.subscribed(till)
        back = till.now().replace(microsecond=0) + timedelta(days=20)

        paused = await till.gateway.pause(paid.external_id, back, key="pause:1")
        resumed = await till.gateway.resume(paid.external_id, anew=True, key="resume:1")
        await till.gateway.pause(paid.external_id, back, key="pause:2")
        await till.advance(timedelta(days=21))

        assert (paused.paused, paused.resumes_at, paused.status) == (True, back, "active")
        assert (resumed.paused, resumed.latest_invoice != paid.latest_invoice) == (False, True)
        assert not (await till.gateway.subscription(paid.external_id)).paused

    async def test_a_code_is_counted_until_it_is_ended(self, till: Till) -> None:
        product, _ = await self.price(till)
        off = Discount(percent=25, amount=None, months=None, products=(product,))

        _, code = await till.gateway.create_code(off, CodeTerms("SPRING"), key="coupon:1")
        same = await till.gateway.create_code(off, CodeTerms("SPRING"), key="coupon:1")
        with pytest.raises(PermanentError) as taken:
            await till.gateway.create_code(off, CodeTerms("SPRING"), key="coupon:2")
        ended = await till.gateway.end_promotion(code, key="end:1")

        assert same[1] == code
        assert taken.value.code == "resource_already_exists"
        assert (ended.active, ended.uses) == (False, 0)
        assert await till.gateway.promotion(code) == ended

    async def test_something_off_is_off_the_next_payment(self, till: Till) -> None:
        paid = await self.subscribed(till)

        await till.gateway.discount(paid.external_id, Discount(percent=None, amount=Money(400, "USD"), months=None), key="stay:1")
        await till.advance(paid.period_end - till.now() + timedelta(hours=2))
        after = await till.gateway.subscription(paid.external_id)

        assert (await till.gateway.invoice(after.latest_invoice)).total == Money(599, "USD")

    async def test_each_click_gets_a_portal_of_its_own(self, till: Till) -> None:
        paid = await self.subscribed(till)

        first = await till.gateway.portal(paid.customer, "https://door.example/")
        second = await till.gateway.portal(paid.customer, "https://door.example/j/code")

        assert first.startswith("http")
        assert first != second

    async def test_our_clocks_agree(self, till: Till) -> None:
        assert abs(await till.gateway.skew()) < timedelta(seconds=3)

    async def test_what_is_not_there_is_missing(self, till: Till) -> None:
        gateway = till.gateway
        asked = [
            gateway.checkout("cs_test_none"),
            gateway.expire_checkout("cs_test_none"),
            gateway.subscription("sub_none"),
            gateway.cancel_subscription("sub_none", at_period_end=False, key="cancel:none"),
            gateway.invoice("in_none"),
            gateway.payment("pi_none"),
            gateway.payment("ch_none"),
            gateway.portal("cus_none", "https://door.example/"),
            gateway.archive_product("prod_none", key="archive:none"),
            gateway.create_price("prod_none", PRICE, MONTH, {}, key="price:none"),
        ]
        for question in asked:
            with pytest.raises(PermanentError) as refused:
                await question
            assert refused.value.code == "resource_missing"

    async def test_too_little_to_charge_is_refused_by_name(self, till: Till) -> None:
        with pytest.raises(PermanentError) as refused:
            await till.gateway.create_checkout(replace(await self.tip(till), amount=Money(1, "USD")), key="checkout:1")

        assert refused.value.code == "amount_too_small"
