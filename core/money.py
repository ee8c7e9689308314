"""Money: whole minor units and an ISO 4217 currency. Never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal

from core.errors import Refusal

ZERO_DECIMAL = frozenset(["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"])
"""Currencies whose minor unit is the unit itself (docs.stripe.com/currencies)."""
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
"""Currencies of a thousand minor units; charges must be a multiple of ten."""
WHOLE = frozenset(["ISK", "UGX"])
"""Currencies of a hundred minor units in which only whole units can be charged (docs.stripe.com/currencies#special-cases)."""
SYMBOLS = {
    "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "ZŁ": "PLN", "KČ": "CZK",
    "US$": "USD", "A$": "AUD", "C$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "R$": "BRL",
}  # fmt: skip
"""What a symbol, in capitals, means by itself."""
SHARED = {
    "$": frozenset(["ARS", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "CLP", "COP", "FJD", "HKD", "JMD", "KYD", "LRD", "MXN",
                    "NAD", "NZD", "SBD", "SGD", "SRD", "TTD", "TWD", "USD", "UYU", "XCD"]),
    "£": frozenset(["EGP", "FKP", "GBP", "GIP", "LBP", "SHP"]),
    "¥": frozenset(["CNY", "JPY"]),
    "KR": frozenset(["DKK", "ISK", "NOK", "SEK"]),
}  # fmt: skip
"""Which currencies a symbol is written for: in a community of one of them it means that one."""
MINIMUM = {
    "USD": 50, "EUR": 50, "GBP": 30, "AUD": 50, "CAD": 50, "CHF": 50, "NZD": 50, "SGD": 50, "BRL": 50, "INR": 50,
    "JPY": 50, "DKK": 250, "NOK": 300, "SEK": 300, "PLN": 200, "CZK": 1500, "HUF": 17500, "MXN": 1000, "HKD": 400,
    "MYR": 200, "AED": 200, "RON": 200, "THB": 1000,
}  # fmt: skip
"""The least one charge may be, in minor units (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""
_OTHERS = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB
EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP
MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB
TJS TOP TRY TTD TWD TZS UAH UGX USD UYU UZS WST XCD YER ZAR ZMW
"""
CURRENCIES = frozenset(_OTHERS.split()) | ZERO_DECIMAL | THREE_DECIMAL
MAX_MINOR = 99_999_999
"""Stripe takes at most eight digits."""
GROUP = 3
"""Digits between two separators of thousands; a lone comma before as many is one, a lone point never is: 9.999 could mean either."""
_WHOLE = re.compile(r"\d+|\d{1,3}(?:([.,'])\d{3})(?:\1\d{3})*")
_SEPARATORS = re.compile(r"[.,']")
_AMOUNT = re.compile(r"(?P<before>[^\d\s.,-]*)\s*(?P<amount>\d[\d.,' ]*)\s*(?P<after>[^\d\s.,-]*)")


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """``minor`` units (cents) of ``currency`` (upper-case ISO 4217). Arithmetic refuses mixed currencies."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")

    def __str__(self) -> str:
        places = decimals(self.currency)
        return f"{Decimal(self.minor).scaleb(-places):,.{places}f} {self.currency}"


def decimals(currency: str) -> int:
    """Return how many decimals ``currency`` has: 0, 2 or 3."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def parse_money(text: str, default_currency: str) -> Money:
    """Read what people type: ``9.99``, ``$9.99``, ``9,99 EUR``, ``USD 1,200.50``. Raises Refusal ``bad_amount``, ``bad_currency``.

    ``default_currency`` is the community's: an amount without a currency is in it, and a symbol it shares with others means it.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise Refusal("bad_amount", f"I can't read “{text[:40]}” as an amount. Write it like 9.99 USD.")
    currency = default_currency
    for word in sorted([found["before"], found["after"]], key=_is_symbol):  # a code decides what a symbol beside it means
        currency = _currency(word, currency)
    if any(word and _currency(word, currency) != currency for word in (found["before"], found["after"])):
        raise Refusal("bad_amount", f"“{text[:40]}” names two currencies. Write it like 9.99 USD.")
    return Money(_minor(found["amount"], currency, text), currency)


def check_chargeable(money: Money) -> None:
    """Raise Refusal ``bad_amount``, ``amount_too_small`` or ``amount_too_large`` for what Stripe would not charge."""
    _check_whole(money)
    least = Money(MINIMUM.get(money.currency, 1), money.currency)
    if money < least:
        raise Refusal("amount_too_small", f"{money} is too little to charge by card. Make it {least} or more.")
    if money.minor > MAX_MINOR:
        raise Refusal("amount_too_large", f"{money} is more than one charge may be. Make it {Money(MAX_MINOR, money.currency)} or less.")


def _is_symbol(word: str) -> bool:
    return word.upper() in SYMBOLS or word.upper() in SHARED


def _currency(word: str, default: str) -> str:
    symbol = word.upper()
    shared = SHARED.get(symbol, frozenset())
    code = default if default in shared or not word else SYMBOLS.get(symbol, symbol)
    if code in SHARED:
        *others, last = sorted(shared)
        codes = f"{', '.join(others)} and {last}"
        raise Refusal("bad_currency", f"“{word}” is written for {codes}. Use one of these codes, like 99 {last}.")
    if code not in CURRENCIES:
        raise Refusal("bad_currency", f"I don't know the currency “{word[:10]}”. Use a three-letter code, like USD or EUR.")
    return code


def _minor(digits: str, currency: str, text: str) -> int:
    places = decimals(currency)
    plain = digits.strip().replace(" ", "")
    last = max(plain.rfind("."), plain.rfind(","))
    tail = len(plain) - last - 1
    mixed = "." in plain and "," in plain
    is_fraction = (
        last >= 0 and (mixed or plain.count(plain[last]) == 1) and (mixed or plain[last] == "." or tail != GROUP or places == GROUP)
    )
    whole, fraction = (plain[:last], plain[last + 1 :]) if is_fraction else (plain, "")
    if not _WHOLE.fullmatch(whole) or (is_fraction and not (fraction.isdecimal() and len(fraction) <= places)):
        raise Refusal("bad_amount", f"I can't read “{text[:40]}” as an amount. Write it like 9.99 USD.")
    scaled = Decimal(f"{_SEPARATORS.sub('', whole)}.{fraction or 0}").scaleb(places)
    if scaled != scaled.to_integral_value() or scaled <= 0:
        raise Refusal("bad_amount", f"“{text[:40]}” is not an amount {currency} can be paid in. Write it like {_example(currency)}.")
    if places == GROUP and int(scaled) % 10:
        raise Refusal("bad_amount", f"Amounts in {currency} must end in 0: a card pays two decimals. Write it like {_example(currency)}.")
    _check_whole(Money(int(scaled), currency))
    return int(scaled)


def _check_whole(money: Money) -> None:
    if money.currency in WHOLE and money.minor % 100:
        sentence = f"Amounts in {money.currency} must be whole: cards pay no fraction of one. Write it like {_example(money.currency)}."
        raise Refusal("bad_amount", sentence)


def _example(currency: str) -> str:
    """Return an amount that can be charged, as it may be typed."""
    return f"1,000 {currency}" if currency in WHOLE else str(Money(1000, currency))
