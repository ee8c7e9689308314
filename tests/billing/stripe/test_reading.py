"""Shapes an account of many years may answer with, which no emulator makes by itself."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.stripe.accounts import GatewayPool
from core.clock import SystemClock
from core.errors import PermanentError
from core.money import Money
from core.payments import CheckoutStatus, PaymentGateway, PaymentState, RefundSnapshot
from sandbox.mark import MARK
from tests.billing.stripe.conftest import Script, refuses, says

MAY = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())
JUNE = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
MARKS = {"doorman_reference": "order-1", "doorman_kind": "order"}


@pytest.fixture
async def gateway(script: Script) -> AsyncIterator[PaymentGateway]:
    async with GatewayPool(SystemClock(), api_url=script.url, retries=0) as pool:
        yield pool.gateway([f"sk_test_{MARK}"])


def listed(*data: object, has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(data), "has_more": has_more, "url": "/v1/things"}


def item(price: str, end: int) -> dict[str, Any]:
    return {
        "id": f"si_{price}",
        "object": "subscription_item",
        "price": {"id": price, "object": "price"},
        "current_period_start": MAY,
        "current_period_end": end,
    }


def subscription(**changes: object) -> dict[str, Any]:
    return {
        "id": "sub_1",
        "object": "subscription",
        "status": "active",
        "customer": "cus_1",
        "metadata": {},
        "items": listed(item("price_a", JUNE)),
        "created": MAY,
        "trial_end": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "latest_invoice": None,
        **changes,
    }


def session(**changes: object) -> dict[str, Any]:
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "url": None,
        "status": "complete",
        "payment_status": "paid",
        "metadata": {},
        "customer": None,
        "subscription": None,
        "payment_intent": None,
        "amount_total": 500,
        "currency": "usd",
        "expires_at": JUNE,
        **changes,
    }


def refund(number: int) -> dict[str, Any]:
    return {"id": f"re_{number}", "object": "refund", "amount": 10, "currency": "usd", "status": "succeeded"}


def charge(**changes: object) -> dict[str, Any]:
    return {
        "id": "ch_1",
        "object": "charge",
        "status": "succeeded",
        "customer": None,
        "currency": "usd",
        "amount_captured": 500,
        "amount_refunded": 0,
        "metadata": {},
        "payment_intent": "pi_1",
        "balance_transaction": {"id": "txn_1", "object": "balance_transaction", "fee": 45, "currency": "eur"},
        "refunds": listed(),
        **changes,
    }


def intent(**changes: object) -> dict[str, Any]:
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "status": "succeeded",
        "customer": "cus_1",
        "metadata": MARKS,
        "amount_received": 500,
        "currency": "usd",
        "latest_charge": charge(),
        **changes,
    }


def invoice(**changes: object) -> dict[str, Any]:
    return {
        "id": "in_1",
        "object": "invoice",
        "status": "paid",
        "metadata": {},
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1", "metadata": MARKS}},
        "total": 999,
        "amount_paid": 999,
        "currency": "usd",
        "hosted_invoice_url": None,
        "next_payment_attempt": None,
        "attempt_count": 1,
        **changes,
    }


def invoice_payment(payment_intent: str | None, status: str = "paid") -> dict[str, Any]:
    kind = "payment_intent" if payment_intent else "payment_record"
    return {
        "id": f"inpay_{payment_intent}",
        "object": "invoice_payment",
        "status": status,
        "payment": {"type": kind, "payment_intent": payment_intent},
    }


async def test_items_of_different_intervals_end_with_the_last(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(subscription(items=listed(item("price_a", MAY), item("price_b", JUNE), item("price_c", MAY + 1))))]

    read = await gateway.subscription("sub_1")

    assert read.period_end == datetime(2026, 6, 1, tzinfo=UTC)
    assert read.prices == ("price_a", "price_b", "price_c")


async def test_a_subscription_made_elsewhere_has_no_reference(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(subscription(status="a_new_word", latest_invoice={"id": "in_9", "object": "invoice"}))]

    read = await gateway.subscription("sub_1")

    assert (read.reference, read.status, read.latest_invoice) == ("", "a_new_word", "in_9")


async def test_moments_are_aware_and_null_stays_none(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(subscription(trial_end=MAY, cancel_at=JUNE))]

    read = await gateway.subscription("sub_1")

    assert (read.trial_end, read.cancel_at, read.ended_at) == (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), None)


async def test_a_session_that_cannot_be_closed_is_returned_as_it_is(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [refuses(400), says(session(metadata=MARKS, payment_status="no_payment_required"))]

    read = await gateway.expire_checkout("cs_test_1")

    assert (read.status, read.payment, read.reference, read.url) == (CheckoutStatus.COMPLETE, PaymentState.NOTHING_DUE, "order-1", "")


async def test_a_session_still_open_after_a_refusal_is_an_error(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [refuses(400, "odd"), says(session(status="open"))]

    with pytest.raises(PermanentError) as refused:
        await gateway.expire_checkout("cs_test_1")

    assert refused.value.code == "odd"


async def test_a_session_that_is_not_there_is_missing(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [refuses(404, "resource_missing")]

    with pytest.raises(PermanentError) as refused:
        await gateway.expire_checkout("cs_test_1")

    assert refused.value.code == "resource_missing"


@pytest.mark.parametrize("at_period_end", [True, False])
async def test_cancelling_what_has_ended_is_done_already(script: Script, gateway: PaymentGateway, *, at_period_end: bool) -> None:
    script.answers = [refuses(404, "resource_missing"), says(subscription(status="canceled", ended_at=MAY))]

    assert (await gateway.cancel_subscription("sub_1", at_period_end=at_period_end, key="cancel:1")).status == "canceled"


async def test_a_cancel_that_is_refused_is_an_error(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [refuses(400, "odd"), says(subscription())]

    with pytest.raises(PermanentError) as refused:
        await gateway.cancel_subscription("sub_1", at_period_end=True, key="cancel:1")

    assert refused.value.code == "odd"


async def test_a_fee_is_in_the_currency_it_was_taken_in(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(intent())]

    read = await gateway.payment("pi_1")

    assert (read.received, read.fee, read.charge) == (Money(500, "USD"), Money(45, "EUR"), "ch_1")


@pytest.mark.parametrize("latest", [None, charge(balance_transaction=None), charge(balance_transaction="txn_1")])
async def test_a_fee_not_known_yet_is_none(script: Script, gateway: PaymentGateway, latest: dict[str, Any] | None) -> None:
    script.answers = [says(intent(latest_charge=latest))]

    assert (await gateway.payment("pi_1")).fee is None


async def test_refunds_beyond_the_first_few_are_fetched(script: Script, gateway: PaymentGateway) -> None:
    many = charge(amount_refunded=30, refunds=listed(refund(3), has_more=True))
    script.answers = [says(intent(latest_charge=many)), says(listed(refund(3), refund(2), has_more=True)), says(listed(refund(1)))]

    read = await gateway.payment("pi_1")

    assert read.refunded == Money(30, "USD")
    assert read.refunds == tuple(RefundSnapshot(f"re_{n}", Money(10, "USD"), "succeeded") for n in (3, 2, 1))
    assert [dict(request.query) for request in script.asked[1:]] == [
        {"charge": "ch_1", "limit": "100"},
        {"charge": "ch_1", "limit": "100", "starting_after": "re_2"},
    ]


async def test_a_charge_leads_to_its_payment(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(charge()), says(intent())]

    assert (await gateway.payment("ch_1")).external_id == "pi_1"


@pytest.mark.parametrize("external_id", ["ch_1", "py_1"])
async def test_an_old_charge_stands_alone(script: Script, gateway: PaymentGateway, external_id: str) -> None:
    script.answers = [says(charge(id=external_id, payment_intent=None, amount_refunded=10, refunds=listed(refund(1))))]

    read = await gateway.payment(external_id)

    assert (read.external_id, read.reference, read.received, read.refunded) == (external_id, "", Money(500, "USD"), Money(10, "USD"))


async def test_a_renewal_is_known_by_the_subscription_behind_its_invoice(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(intent(metadata={})), says(listed({**invoice_payment("pi_1"), "invoice": invoice()}))]

    read = await gateway.payment("pi_1")

    assert (read.invoice, read.subscription, read.reference, read.kind) == ("in_1", "sub_1", "order-1", "order")


async def test_a_payment_of_somebody_elses_is_read_without_a_reference(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(intent(metadata={"shop": "other"})), says(listed())]

    read = await gateway.payment("pi_1")

    assert (read.reference, read.kind, read.subscription, read.invoice) == ("", "", "", "")


async def test_only_what_paid_an_invoice_is_named(script: Script, gateway: PaymentGateway) -> None:
    tried = listed(invoice_payment("pi_1", "canceled"), invoice_payment("pi_2"), invoice_payment(None), invoice_payment("pi_3", "open"))
    script.answers = [says(invoice(payments=tried, next_payment_attempt=JUNE))]

    read = await gateway.invoice("in_1")

    assert read.payment_intents == ("pi_2",)
    assert (read.subscription, read.reference, read.next_attempt_at) == ("sub_1", "order-1", datetime(2026, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize("parent", [None, {"type": "quote_details", "subscription_details": None}])
async def test_an_invoice_of_no_subscription_is_read(script: Script, gateway: PaymentGateway, parent: dict[str, Any] | None) -> None:
    script.answers = [says(invoice(parent=parent))]

    read = await gateway.invoice("in_1")

    assert (read.subscription, read.payment_intents, read.total) == ("", (), Money(999, "USD"))


def event(number: int, **about: object) -> dict[str, Any]:
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": "invoice.paid",
        "created": MAY + number // 2,
        "livemode": False,
        "data": {"object": {"id": f"in_{number}", "object": "invoice", **about}},
    }


async def test_events_come_oldest_first_over_all_pages(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(listed(event(5), event(4), event(3), has_more=True)), says(listed(event(2), event(1)))]

    found = [each async for each in gateway.events(datetime(2026, 5, 1, tzinfo=UTC), ["invoice.paid"], undelivered=True)]

    assert [each.external_id for each in found] == ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5"]
    assert [each.object_id for each in found] == ["in_1", "in_2", "in_3", "in_4", "in_5"]
    asked = {"created[gte]": str(MAY), "limit": "100", "types[0]": "invoice.paid", "delivery_success": "false"}
    assert [dict(request.query) for request in script.asked] == [asked, {**asked, "starting_after": "evt_3"}]


async def test_delivered_events_are_asked_for_too_when_wanted(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(listed())]

    assert [each async for each in gateway.events(datetime(2026, 5, 1, tzinfo=UTC), [], undelivered=False)] == []
    assert dict(script.asked[0].query) == {"created[gte]": str(MAY), "limit": "100"}


async def test_more_types_than_one_question_may_name_are_asked_in_several(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(listed(event(6), event(1))), says(listed(event(4)))]

    found = [each async for each in gateway.events(datetime(2026, 5, 1, tzinfo=UTC), [f"a.{n}" for n in range(21)], undelivered=False)]

    assert [each.external_id for each in found] == ["evt_1", "evt_4", "evt_6"]
    assert [sum("types" in name for name in request.query) for request in script.asked] == [20, 1]


async def test_an_event_is_kept_whole_but_not_shown(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [says(listed(event(1, customer_email="ann@example.org")))]

    (found,) = [each async for each in gateway.events(datetime(2026, 5, 1, tzinfo=UTC), [], undelivered=False)]

    assert json.loads(found.payload) == event(1, customer_email="ann@example.org")
    assert "ann@" not in repr(found)


async def test_every_subscription_is_listed_even_the_ended(script: Script, gateway: PaymentGateway) -> None:
    script.answers = [
        says(listed(subscription(id="sub_3"), subscription(id="sub_2", status="canceled"), has_more=True)),
        says(listed(subscription(id="sub_1"))),
    ]

    assert [each.external_id async for each in gateway.subscriptions()] == ["sub_3", "sub_2", "sub_1"]
    assert [dict(request.query) for request in script.asked] == [
        {"status": "all", "limit": "100"},
        {"status": "all", "limit": "100", "starting_after": "sub_2"},
    ]
