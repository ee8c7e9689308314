"""Which event is about what: one line for each type."""

from enum import StrEnum


class Subject(StrEnum):
    """What an event's object is, and so what is looked at afresh."""

    CHECKOUT = "checkout"
    SUBSCRIPTION = "subscription"
    INVOICE = "invoice"
    PAYMENT = "payment"
    DISPUTE = "dispute"
    WARNING = "warning"


ROUTES: dict[str, Subject] = {
    "checkout.session.completed": Subject.CHECKOUT,
    "checkout.session.async_payment_succeeded": Subject.CHECKOUT,
    "checkout.session.async_payment_failed": Subject.CHECKOUT,
    "checkout.session.expired": Subject.CHECKOUT,
    "customer.subscription.created": Subject.SUBSCRIPTION,
    "customer.subscription.updated": Subject.SUBSCRIPTION,
    "customer.subscription.deleted": Subject.SUBSCRIPTION,
    "customer.subscription.pending_update_applied": Subject.SUBSCRIPTION,
    "customer.subscription.pending_update_expired": Subject.SUBSCRIPTION,
    "customer.subscription.paused": Subject.SUBSCRIPTION,
    "customer.subscription.resumed": Subject.SUBSCRIPTION,
    "invoice.paid": Subject.INVOICE,
    "invoice.payment_failed": Subject.INVOICE,
    "charge.refunded": Subject.PAYMENT,
    "refund.created": Subject.PAYMENT,
    "refund.updated": Subject.PAYMENT,
    "refund.failed": Subject.PAYMENT,
    "charge.dispute.created": Subject.DISPUTE,
    "charge.dispute.updated": Subject.DISPUTE,
    "charge.dispute.closed": Subject.DISPUTE,
    "charge.dispute.funds_withdrawn": Subject.DISPUTE,
    "charge.dispute.funds_reinstated": Subject.DISPUTE,
    "radar.early_fraud_warning.created": Subject.WARNING,
}
"""Every type we act on; the others are stored and done."""

PREFIXES = {
    "cs_": Subject.CHECKOUT,
    "sub_": Subject.SUBSCRIPTION,
    "in_": Subject.INVOICE,
    **dict.fromkeys(("pi_", "ch_", "py_", "re_", "pyr_"), Subject.PAYMENT),
    **dict.fromkeys(("du_", "dp_"), Subject.DISPUTE),
    "issfr_": Subject.WARNING,
}


def subject_of(object_id: str) -> Subject | None:
    """Return what an id is of, by its prefix."""
    return next((subject for prefix, subject in PREFIXES.items() if object_id.startswith(prefix)), None)
