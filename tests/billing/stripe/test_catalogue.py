import pytest

from billing.stripe.catalogue import customer_params, price_params, product_params
from core.money import Money
from core.payments import Interval, IntervalUnit


@pytest.mark.parametrize("unit", [IntervalUnit.WEEK, IntervalUnit.MONTH, IntervalUnit.YEAR])
def test_a_subscriptions_price_renews(unit: IntervalUnit) -> None:
    assert price_params("prod_1", Money(999, "EUR"), Interval(unit), {"plan": "p"}) == {
        "product": "prod_1",
        "currency": "eur",
        "unit_amount": 999,
        "metadata": {"plan": "p"},
        "recurring": {"interval": unit.value, "interval_count": 1},
    }


@pytest.mark.parametrize("interval", [Interval(IntervalUnit.DAYS, 30), Interval(IntervalUnit.ONCE)])
def test_a_pass_and_a_lifetime_are_paid_once(interval: Interval) -> None:
    assert "recurring" not in price_params("prod_1", Money(999, "EUR"), interval, {})


def test_what_is_empty_is_not_sent() -> None:
    assert product_params("Gold", "", {}) == {"name": "Gold", "metadata": {}}
    assert product_params("Gold", "All of it", {})["description"] == "All of it"
    assert customer_params("", {}) == {"metadata": {}}
    assert customer_params("Ann", {})["name"] == "Ann"
