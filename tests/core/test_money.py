import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refusal
from core.money import CURRENCIES, MAX_MINOR, WHOLE, Money, check_chargeable, decimals, parse_money


@pytest.mark.parametrize(
    ("typed", "minor", "currency"),
    [
        ("9.99", 999, "USD"),
        ("9.99 USD", 999, "USD"),
        ("$9.99", 999, "USD"),
        ("9,99 EUR", 999, "EUR"),
        ("€5", 500, "EUR"),
        ("5€", 500, "EUR"),
        ("usd 1,200.50", 120050, "USD"),
        ("1.200,50 EUR", 120050, "EUR"),
        ("1,200 USD", 120000, "USD"),
        ("1'200.50 CHF", 120050, "CHF"),
        ("500 JPY", 500, "JPY"),
        ("1,500 JPY", 1500, "JPY"),
        ("1.250 KWD", 1250, "KWD"),
        ("9.9 USD", 990, "USD"),
        ("10.200.000 HUF", 1020000000, "HUF"),
        ("$5 USD", 500, "USD"),
    ],
)
def test_an_amount_is_read_as_people_write_it(typed: str, minor: int, currency: str) -> None:
    assert parse_money(typed, "USD") == Money(minor, currency)


@pytest.mark.parametrize(
    ("typed", "community", "minor", "currency"),
    [
        ("99 kr", "NOK", 9900, "NOK"),
        ("99kr", "DKK", 9900, "DKK"),
        ("99 Kr", "SEK", 9900, "SEK"),
        ("990 kr", "ISK", 99000, "ISK"),
        ("$9.99", "CAD", 999, "CAD"),
        ("$9.99", "AUD", 999, "AUD"),
        ("$9.99", "EUR", 999, "USD"),
        ("$9.99 CAD", "USD", 999, "CAD"),
        ("SEK 99 kr", "NOK", 9900, "SEK"),
        ("A$9.99", "CAD", 999, "AUD"),
        ("US$9.99", "CAD", 999, "USD"),
        ("¥30", "CNY", 3000, "CNY"),
        ("¥300", "USD", 300, "JPY"),
        ("£5", "EGP", 500, "EGP"),
        ("500 HUF", "USD", 50000, "HUF"),
        ("99.50 TWD", "USD", 9950, "TWD"),
        ("5000 UGX", "USD", 500000, "UGX"),
    ],
)
def test_a_symbol_that_several_currencies_share_means_the_community_s(typed: str, community: str, minor: int, currency: str) -> None:
    assert parse_money(typed, community) == Money(minor, currency)


def test_a_symbol_that_could_mean_several_other_currencies_is_not_guessed() -> None:
    with pytest.raises(Refusal, match=r"“kr” is written for DKK, ISK, NOK and SEK\. Use one of these codes, like 99 SEK\.") as refused:
        parse_money("99 kr", "USD")
    assert refused.value.code == "bad_currency"


@pytest.mark.parametrize("typed", ["99.50 ISK", "0.01 UGX", "ISK 1.5", "1,250.25 UGX"])
def test_a_currency_that_cards_pay_in_whole_units_only_takes_no_fraction(typed: str) -> None:
    with pytest.raises(Refusal, match=r"Amounts in (ISK|UGX) must be whole: cards pay no fraction of one. Write it like 1,000 (ISK|UGX)."):
        parse_money(typed, "USD")
    with pytest.raises(Refusal, match="must be whole"):
        check_chargeable(Money(9950, typed.strip("0123456789., ")))


@pytest.mark.parametrize("currency", ["KWD", "ISK", "JPY", "USD"])
def test_the_example_in_a_refusal_is_an_amount_that_is_taken(currency: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_money(f"0 {currency}", "USD")
    parse_money(refused.value.message.rpartition("like ")[2].removesuffix("."), "USD")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "free",
        "-5",
        "0",
        "0.00 USD",
        "9.999 USD",
        "5.5 JPY",
        "5 USD EUR",
        "1.255 KWD",
        "$5 EUR",
        "1.2.3 USD",
        "1,20,30 USD",
        "1.200 USD",
        "12,34,567.5 USD",
    ],
)
def test_what_is_no_amount_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_money(typed, "USD")
    assert refused.value.code in {"bad_amount", "bad_currency"}
    assert re.search(r" like .*[A-Z]{3}\.$", refused.value.message), refused.value.message


def test_an_unknown_currency_is_refused_by_name() -> None:
    with pytest.raises(Refusal, match="QQQ") as refused:
        parse_money("5 QQQ", "USD")
    assert refused.value.code == "bad_currency"


@given(st.integers(1, MAX_MINOR), st.sampled_from(sorted(CURRENCIES)))
def test_what_is_shown_reads_back_as_the_same_amount(minor: int, currency: str) -> None:
    minor *= 100 if currency in WHOLE else 10 if decimals(currency) == 3 else 1
    assert parse_money(str(Money(minor, currency)), "USD") == Money(minor, currency)


@given(st.text(max_size=20))
def test_whatever_is_typed_is_read_or_refused(typed: str) -> None:
    with contextlib.suppress(Refusal):
        assert parse_money(typed, "USD").minor > 0


def test_too_little_for_a_card_is_refused_with_the_least() -> None:
    with pytest.raises(Refusal, match=r"Make it 0\.50 USD or more\.") as refused:
        check_chargeable(Money(49, "USD"))
    assert refused.value.code == "amount_too_small"
    check_chargeable(Money(50, "USD"))


def test_more_than_eight_digits_is_refused() -> None:
    with pytest.raises(Refusal, match=r"Make it 999,999\.99 USD or less\.") as refused:
        check_chargeable(Money(MAX_MINOR + 1, "USD"))
    assert refused.value.code == "amount_too_large"


def test_different_currencies_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, "USD") + Money(1, "EUR")
    assert Money(3, "USD") - Money(1, "USD") == Money(2, "USD")
