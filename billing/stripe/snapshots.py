"""Stripe's objects as the port's snapshots. They are no dicts: a field may be absent, null, an id, or the object itself."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import stripe
from stripe.checkout import Session

from core.money import Money
from core.payments import (
    CheckoutSnapshot,
    CheckoutStatus,
    EventSnapshot,
    InvoiceSnapshot,
    PaymentState,
    RefundSnapshot,
    SubscriptionSnapshot,
)

REFERENCE = "doorman_reference"
KIND = "doorman_kind"


def metadata(reference: str, kind: str) -> dict[str, str]:
    """Return how our row's id and kind are written on what a checkout makes."""
    return {REFERENCE: reference, KIND: kind}


def ours(of: stripe.StripeObject | Mapping[str, str] | None, key: str) -> str:
    """Return one of our words from an object's metadata; empty when it is not there."""
    return str(of[key]) if of is not None and key in of else ""


def id_of(value: str | stripe.StripeObject | None) -> str:
    """Return the id of a field that may have been expanded; empty for null."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(value["id"])


def moment(seconds: int) -> datetime:
    """Return Unix seconds as an aware UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def maybe_moment(seconds: int | None) -> datetime | None:
    """Return Unix seconds as an aware UTC time; None for null."""
    return None if seconds is None else moment(seconds)


def money(minor: int | None, currency: str | None) -> Money:
    """Return an amount; null is nothing."""
    return Money(minor or 0, (currency or "").upper())


def checkout_snapshot(session: Session) -> CheckoutSnapshot:
    """Read a Checkout Session."""
    return CheckoutSnapshot(
        external_id=session.id,
        url=session.url or "",
        status=CheckoutStatus(session.status or CheckoutStatus.OPEN),
        payment=PaymentState(session.payment_status),
        reference=ours(session.metadata, REFERENCE),
        kind=ours(session.metadata, KIND),
        customer=id_of(session.customer),
        subscription=id_of(session.subscription),
        payment_intent=id_of(session.payment_intent),
        total=money(session.amount_total, session.currency),
        expires_at=moment(session.expires_at),
    )


def subscription_snapshot(subscription: stripe.Subscription) -> SubscriptionSnapshot:
    """Read a subscription. Periods are the items', and may differ among them: the latest end counts."""
    items = subscription.items.data
    return SubscriptionSnapshot(
        external_id=subscription.id,
        status=subscription.status,
        customer=id_of(subscription.customer),
        reference=ours(subscription.metadata, REFERENCE),
        prices=tuple(item.price.id for item in items),
        created_at=moment(subscription.created),
        period_end=moment(max((item.current_period_end for item in items), default=subscription.created)),
        trial_end=maybe_moment(subscription.trial_end),
        cancel_at=maybe_moment(subscription.cancel_at),
        cancel_at_period_end=subscription.cancel_at_period_end,
        ended_at=maybe_moment(subscription.ended_at),
        latest_invoice=id_of(subscription.latest_invoice),
        period_start=moment(min((item.current_period_start for item in items), default=subscription.created)),
    )


def invoice_snapshot(invoice: stripe.Invoice) -> InvoiceSnapshot:
    """Read an invoice that was fetched with its ``payments``."""
    payments = invoice.payments.data if "payments" in invoice and invoice.payments is not None else []
    subscription, reference, _ = invoice_source(invoice)
    return InvoiceSnapshot(
        external_id=invoice.id,
        status=invoice.status or "",
        subscription=subscription,
        reference=reference,
        total=money(invoice.total, invoice.currency),
        paid=money(invoice.amount_paid, invoice.currency),
        payment_intents=tuple(
            id_of(paid.payment.payment_intent) for paid in payments if paid.status == "paid" and paid.payment.type == "payment_intent"
        ),
        hosted_url=invoice.hosted_invoice_url or "",
        next_attempt_at=maybe_moment(invoice.next_payment_attempt),
        attempt_count=invoice.attempt_count,
    )


def invoice_source(invoice: stripe.Invoice) -> tuple[str, str, str]:
    """Return the subscription an invoice is of, and our reference and kind; each empty when there is none."""
    details = invoice.parent.subscription_details if invoice.parent is not None else None
    if details is None:
        return "", ours(invoice.metadata, REFERENCE), ours(invoice.metadata, KIND)
    return id_of(details.subscription), ours(details.metadata, REFERENCE), ours(details.metadata, KIND)


def refund_snapshot(refund: stripe.Refund) -> RefundSnapshot:
    """Read a refund."""
    return RefundSnapshot(external_id=refund.id, amount=money(refund.amount, refund.currency), status=refund.status or "")


def event_snapshot(event: stripe.Event) -> EventSnapshot:
    """Read an event's envelope, and keep it whole as JSON, as a delivery would have brought it."""
    about = event.data.object
    return EventSnapshot(
        external_id=event.id,
        type=event.type,
        object_id=str(about["id"]) if "id" in about else "",
        created_at=moment(event.created),
        livemode=event.livemode,
        payload=json.dumps(event.to_dict(for_json=True), separators=(",", ":")).encode(),
    )
