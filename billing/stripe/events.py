"""What we ask Stripe to tell us, and in which of its dialects."""

from typing import Final

API_VERSION: Final = "2026-10-28.endive"
"""The version of every request and of every endpoint we make. Events come in their endpoint's version, so we fetch and never read them."""

SUBSCRIBED: Final = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
)
"""The types an endpoint subscribes to and a catch-up asks for. ``invoice.paid`` covers its narrower twin ``invoice.payment_succeeded``."""
