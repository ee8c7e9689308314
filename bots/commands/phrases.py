"""Turns of phrase that several answers share."""

from core.text import Bold, Span
from storage.plans import PlanView


def price(plan: PlanView) -> str:
    """Say what a plan costs: ``9.99 USD per month``, ``9.99 USD per month or 99.00 USD per year``."""
    return " or ".join(str(price) for price in plan.prices) or f"{plan.price} {plan.interval}"


def opens(plan: PlanView) -> str:
    """Say what a plan opens, by name."""
    return listed([resource.name for resource in plan.resources]) or "nothing yet"


def trial(plan: PlanView) -> str:
    """Say how long one may try a plan for nothing; empty when one may not."""
    return f", after {counted(plan.trial_days, 'free day')}" if plan.trial_days else ""


def counted(count: int, noun: str) -> str:
    """Say how many: ``1 member``, ``12 members``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(words: list[str]) -> str:
    """Join words as in a sentence: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def quoted(name: str) -> Span:
    """Emphasise a name somebody chose."""
    return Bold(name)
