from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billing.stripe.checkout import LOCALES, session_params, spoken
from core.money import Money
from core.payments import CheckoutRequest

SUBSCRIBE = CheckoutRequest(
    reference="order-1",
    kind="order",
    recurring=True,
    success_url="https://door.example/welcome/order-1",
    cancel_url="https://door.example/j/code",
    expires_at=datetime(2026, 11, 22, 12, 30, tzinfo=UTC),
    price="price_gold",
)
PASS = replace(SUBSCRIBE, recurring=False)
TIP = replace(PASS, kind="tip", reference="tip-1", price="", amount=Money(500, "USD"), name="A tip for Ann")
MARKS = {"doorman_reference": "order-1", "doorman_kind": "order"}


def test_a_subscription_carries_our_order_on_the_session_and_on_what_it_makes() -> None:
    assert session_params(SUBSCRIBE) == {
        "mode": "subscription",
        "line_items": [{"price": "price_gold", "quantity": 1}],
        "client_reference_id": "order-1",
        "metadata": MARKS,
        "subscription_data": {"metadata": MARKS},
        "success_url": "https://door.example/welcome/order-1",
        "cancel_url": "https://door.example/j/code",
        "expires_at": 1_795_350_600,
    }


def test_a_trial_that_ends_without_a_card_ends() -> None:
    assert session_params(replace(SUBSCRIBE, trial_days=7))["subscription_data"] == {
        "metadata": MARKS,
        "trial_period_days": 7,
        "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
    }


def test_a_single_payment_makes_a_customer_and_marks_the_payment() -> None:
    params = session_params(PASS)

    assert params["mode"] == "payment"
    assert params["customer_creation"] == "always"
    assert params["payment_intent_data"] == {"metadata": MARKS}
    assert "subscription_data" not in params


@pytest.mark.parametrize("request_", [SUBSCRIBE, PASS])
def test_a_known_customer_is_used_again(request_: CheckoutRequest) -> None:
    params = session_params(replace(request_, customer="cus_1"))

    assert params["customer"] == "cus_1"
    assert "customer_creation" not in params


def test_a_tip_is_an_amount_with_a_name() -> None:
    params = session_params(TIP)

    assert params["line_items"] == [
        {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "A tip for Ann"}}, "quantity": 1}
    ]
    assert params["submit_type"] == "pay"


def test_stripe_chooses_the_payment_methods() -> None:
    assert not [name for request in (SUBSCRIBE, PASS, TIP) for name in session_params(request) if "payment_method" in name]


@pytest.mark.parametrize(
    "empty", [replace(TIP, amount=None), replace(TIP, name=""), replace(SUBSCRIBE, price=""), replace(TIP, recurring=True)]
)
def test_a_checkout_of_nothing_is_our_mistake(empty: CheckoutRequest) -> None:
    with pytest.raises(ValueError, match="needs a price"):
        session_params(empty)


@pytest.mark.parametrize(
    ("asked", "spoken_"),
    [("de", "de"), ("pt-BR", "pt-BR"), ("sv-SE", "sv"), ("en-US", "en"), ("zh-CN", "zh"), ("uk", ""), ("", ""), ("xx-YY", "")],
)
def test_checkout_speaks_the_nearest_language_it_knows(asked: str, spoken_: str) -> None:
    assert spoken(asked) == spoken_


def test_an_unknown_language_is_left_to_the_browser() -> None:
    assert "locale" not in session_params(replace(SUBSCRIBE, locale_name="uk"))
    assert session_params(replace(SUBSCRIBE, locale_name="sv-SE"))["locale"] == "sv"
    assert "auto" not in LOCALES
