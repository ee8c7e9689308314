"""Stripe's objects as the port's snapshots: a field may be absent, null, an id, or the object itself.

What is fetched one by one comes as plain JSON, what the SDK lists or changes as its own objects, which are no dicts: both are read by key.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from core.money import Money
from core.payments import (
    CheckoutSnapshot,
    CheckoutStatus,
    DisputeEntry,
    DisputeSnapshot,
    EventSnapshot,
    FraudWarning,
    InvoiceSnapshot,
    PaymentState,
    RefundSnapshot,
    SubscriptionSnapshot,
)

Fields = stripe.StripeObject | Mapping[str, Any]
REFERENCE = "doorman_reference"
KIND = "doorman_kind"


def metadata(reference: str, kind: str) -> dict[str, str]:
    """Return how our row's id and kind are written on what a checkout makes."""
    return {REFERENCE: reference, KIND: kind}


def field(of: Fields, name: str) -> Any:  # noqa: ANN401 - whatever the field holds
    """Return a field; None where it is null or absent."""
    return of[name] if name in of else None  # noqa: SIM401 - the SDK's objects have no get


def ours(of: Fields | None, key: str) -> str:
    """Return one of our words from an object's metadata; empty when it is not there."""
    return str(of[key]) if of is not None and key in of else ""


def id_of(value: str | Fields | None) -> str:
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


def checkout_snapshot(session: Fields) -> CheckoutSnapshot:
    """Read a Checkout Session."""
    return CheckoutSnapshot(
        external_id=session["id"],
        url=field(session, "url") or "",
        status=CheckoutStatus(field(session, "status") or CheckoutStatus.OPEN),
        payment=PaymentState(session["payment_status"]),
        reference=ours(field(session, "metadata"), REFERENCE),
        kind=ours(field(session, "metadata"), KIND),
        customer=id_of(field(session, "customer")),
        subscription=id_of(field(session, "subscription")),
        payment_intent=id_of(field(session, "payment_intent")),
        total=money(field(session, "amount_total"), field(session, "currency")),
        expires_at=moment(session["expires_at"]),
    )


def subscription_snapshot(subscription: Fields) -> SubscriptionSnapshot:
    """Read a subscription. Periods are the items', and may differ among them: the latest end counts."""
    items = subscription["items"]["data"]
    pause = field(subscription, "pause_collection")
    return SubscriptionSnapshot(
        external_id=subscription["id"],
        status=subscription["status"],
        customer=id_of(subscription["customer"]),
        reference=ours(field(subscription, "metadata"), REFERENCE),
        prices=tuple(item["price"]["id"] for item in items),
        created_at=moment(subscription["created"]),
        period_end=moment(max((item["current_period_end"] for item in items), default=subscription["created"])),
        trial_end=maybe_moment(field(subscription, "trial_end")),
        cancel_at=maybe_moment(field(subscription, "cancel_at")),
        cancel_at_period_end=subscription["cancel_at_period_end"],
        ended_at=maybe_moment(field(subscription, "ended_at")),
        latest_invoice=id_of(field(subscription, "latest_invoice")),
        paused=pause is not None,
        resumes_at=maybe_moment(field(pause, "resumes_at")) if pause is not None else None,
        planned=bool(id_of(field(subscription, "schedule"))),
        waits=field(subscription, "pending_update") is not None,
        period_start=moment(min((item["current_period_start"] for item in items), default=subscription["created"])),
    )


def invoice_snapshot(invoice: Fields) -> InvoiceSnapshot:
    """Read an invoice that was fetched with its ``payments``."""
    payments = field(invoice, "payments")
    subscription, reference, kind = invoice_source(invoice)
    return InvoiceSnapshot(
        external_id=invoice["id"],
        status=field(invoice, "status") or "",
        subscription=subscription,
        reference=reference,
        kind=kind,
        total=money(invoice["total"], invoice["currency"]),
        paid=money(invoice["amount_paid"], invoice["currency"]),
        payment_intents=tuple(
            id_of(paid["payment"]["payment_intent"])
            for paid in (payments["data"] if payments is not None else [])
            if paid["status"] == "paid" and paid["payment"]["type"] == "payment_intent"
        ),
        hosted_url=field(invoice, "hosted_invoice_url") or "",
        next_attempt_at=maybe_moment(field(invoice, "next_payment_attempt")),
        attempt_count=invoice["attempt_count"],
    )


def invoice_source(invoice: Fields) -> tuple[str, str, str]:
    """Return the subscription an invoice is of, and our reference and kind; each empty when there is none."""
    parent = field(invoice, "parent")
    details = field(parent, "subscription_details") if parent is not None else None
    if details is None:
        return "", ours(field(invoice, "metadata"), REFERENCE), ours(field(invoice, "metadata"), KIND)
    return id_of(details["subscription"]), ours(field(details, "metadata"), REFERENCE), ours(field(details, "metadata"), KIND)


def refund_snapshot(refund: Fields) -> RefundSnapshot:
    """Read a refund."""
    return RefundSnapshot(
        external_id=refund["id"], amount=money(refund["amount"], refund["currency"]), status=field(refund, "status") or ""
    )


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


def dispute_snapshot(dispute: Fields) -> DisputeSnapshot:
    """Read a dispute."""
    details, answered = field(dispute, "evidence_details"), dispute["status"].endswith("needs_response")
    return DisputeSnapshot(
        external_id=dispute["id"],
        status=dispute["status"],
        reason=field(dispute, "reason") or "",
        payment=id_of(field(dispute, "payment_intent")) or id_of(dispute["charge"]),
        amount=money(dispute["amount"], dispute["currency"]),
        answer_by=maybe_moment(field(details, "due_by")) if details is not None and answered else None,
        entries=tuple(
            DisputeEntry(entry["id"], entry["amount"], entry["fee"], entry["currency"].upper()) for entry in dispute["balance_transactions"]
        ),
    )


def fraud_warning(warning: Fields) -> FraudWarning:
    """Read an early fraud warning."""
    payment = id_of(field(warning, "payment_intent")) or id_of(warning["charge"])
    return FraudWarning(warning["id"], payment)
