"""Amounts in minor units: currencies, the smallest and largest charge, fees, and how a page writes them."""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.errors import ApiError, invalid
from sandbox.stripe.policy import Policy

_NAMES = """
aed afn all amd aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve
czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs
khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr
pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs
uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
CURRENCIES = frozenset(_NAMES.split())
ZERO_DECIMAL = frozenset(["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"])
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE = frozenset({"isk", "ugx"})
"""In hundredths, and still charged in whole units only (docs.stripe.com/currencies#special-cases)."""
SMALLEST = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200,
    "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
"""docs.stripe.com/currencies, minimum charge amounts."""
LARGEST = 99_999_999


def check_currency(code: str) -> None:
    """Raise for a currency the vendor does not support."""
    if code not in CURRENCIES:
        raise invalid(f"Invalid currency: {code}. The API supports these currencies: {', '.join(sorted(CURRENCIES))}", "currency")


def check_charge(amount: int, currency: str, param: str = "amount") -> None:
    """Raise for an amount that cannot be charged: too small, too large, or a fraction of what has none."""
    check_currency(currency)
    if currency in WHOLE and amount % 100:
        raise ApiError(
            f"Invalid amount: {currency.upper()} is charged in whole units, so it must be divisible by 100.",
            code="invalid_charge_amount_no_decimal_compatible",
            param=param,
        )
    smallest = SMALLEST.get(currency, 1)
    if amount < smallest:
        least = written(smallest, currency)
        raise ApiError(f"Amount must be at least {least}", code="amount_too_small", param=param)
    if amount > LARGEST:
        most = written(LARGEST, currency)
        raise ApiError(f"Amount must be no more than {most}", code="amount_too_large", param=param)


def fee(amount: int, policy: Policy) -> int:
    """Return the vendor's fee on a payment, in minor units."""
    share = Decimal(amount) * Decimal(str(policy.fee_percent)) / 100
    return min(amount, int(share.quantize(Decimal(1), ROUND_HALF_UP)) + policy.fee_fixed)


def share(amount: int, part: int, whole: int) -> int:
    """Return ``amount * part / whole``, rounded half up."""
    return int((Decimal(amount) * part / whole).quantize(Decimal(1), ROUND_HALF_UP))


def written(amount: int, currency: str) -> str:
    """Write an amount for a person: ``9.99 USD``."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    return f"{Decimal(amount).scaleb(-decimals):,.{decimals}f} {currency.upper()}"
