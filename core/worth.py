"""What something paid is worth a month, so that weeks, years and passes can be added up. Pure."""

from fractions import Fraction

from core.money import Money
from core.payments import Interval, IntervalUnit

_A_MONTH = {
    IntervalUnit.WEEK: Fraction(52, 12),
    IntervalUnit.MONTH: Fraction(1),
    IntervalUnit.YEAR: Fraction(1, 12),
    IntervalUnit.ONCE: Fraction(0),
}


def monthly(price: Money, interval: Interval) -> Money:
    """Return a price by the month, to the nearest minor unit: what is paid once for life is worth nothing a month, a pass by its days."""
    share = Fraction(365, 12 * interval.count) if interval.unit is IntervalUnit.DAYS else _A_MONTH[interval.unit] / interval.count
    return Money(round(price.minor * share), price.currency)


def total(sums: dict[str, int]) -> str:
    """Return sums by currency as people write them: ``57.00 USD and 9.00 EUR``; ``nothing`` when there are none."""
    return " and ".join(str(Money(minor, currency)) for currency, minor in sorted(sums.items()) if minor) or "nothing"
