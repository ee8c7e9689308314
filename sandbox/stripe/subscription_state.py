"""How a subscription's status changes, and the events each change brings."""

from sandbox.stripe.account import Account
from sandbox.stripe.resource import Json, Resource

OVER = frozenset({"canceled", "incomplete_expired"})


def set_status(account: Account, subscription: Resource, status: str) -> None:
    """Move to another status that is not an end."""
    with account.changing(subscription, "customer.subscription.updated"):
        subscription["status"] = status
        if status != "paused":
            subscription["status_details"] = None


def end(account: Account, subscription: Resource, reason: str | None = None) -> None:
    """Cancel now. ``reason`` as in cancellation_details; None keeps the one given when the end was asked for."""
    now = account.now(subscription["customer"])
    details: Json = subscription["cancellation_details"]
    if reason is not None:
        details["reason"] = reason
    subscription |= {"status": "canceled", "ended_at": now, "canceled_at": subscription["canceled_at"] or now, "status_details": None}
    stop_collecting(account, subscription)
    account.emit("customer.subscription.deleted", subscription)


def expire(account: Account, subscription: Resource) -> None:
    """End a subscription whose first payment never came."""
    with account.changing(subscription, "customer.subscription.updated"):
        subscription |= {"status": "incomplete_expired", "ended_at": account.now(subscription["customer"])}


def pause(account: Account, subscription: Resource, why: str) -> None:
    """Pause: no period runs and nothing is billed until it is resumed."""
    paused = {"subscription": {"type": why}, "transitioned_at": account.now(subscription["customer"]), "type": "subscription"}
    with account.changing(subscription, "customer.subscription.updated", "customer.subscription.paused"):
        subscription |= {"status": "paused", "status_details": {"paused": paused}}


def stop_collecting(account: Account, subscription: Resource) -> None:
    """Leave the open invoices as they are and try no more."""
    for invoice in account.table("invoice").where("subscription", subscription.id):
        if invoice["status"] in {"draft", "open"}:
            with account.changing(invoice, "invoice.updated"):
                invoice |= {"auto_advance": False, "next_payment_attempt": None}


def open_invoices(account: Account, subscription: Resource) -> list[Resource]:
    """Return the invoices that wait for money."""
    return [row for row in account.table("invoice").where("subscription", subscription.id) if row["status"] == "open"]
