"""An emulator of Stripe, API 2026-10-28.endive: a model without I/O, and a thin shell of HTTP, pages and webhooks over it."""

from sandbox.stripe.emulator import StripeEmulator
from sandbox.stripe.people import Refused, StripePeople
from sandbox.stripe.policy import Policy

__all__ = ["Policy", "Refused", "StripeEmulator", "StripePeople"]
