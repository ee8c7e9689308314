"""Collecting invoices: attempts, retries, and what a payment or a failure does to the subscription."""

from sandbox.stripe import invoices, payment_methods, payments, subscription_state
from sandbox.stripe.account import Account
from sandbox.stripe.payments import ABSENT, Payer, Verdict
from sandbox.stripe.resource import Resource

NO_METHOD = Verdict("declined", "no_payment_method")


def subscription_of(invoice: Resource) -> Resource:
    """Return the subscription an invoice bills."""
    subscription: Resource = invoice.hidden["subscription"]
    return subscription


def default_method(account: Account, subscription: Resource) -> Resource | None:
    """Return the payment method a renewal uses: the subscription's own, else the customer's."""
    customer = account.table("customer").get(subscription["customer"])
    identifier = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return account.table("payment_method").find(identifier) if identifier else None


def finalize_and_collect(account: Account, invoice: Resource) -> None:
    """Open a draft whose time has come and try to collect it, unless someone did or stopped it."""
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    open_invoice(account, invoice)
    if invoice["status"] == "open":
        collect(account, invoice)


def open_invoice(account: Account, invoice: Resource) -> None:
    """Finalize, and follow the payment it waits for."""
    invoices.finalize(account, invoice)
    intent = invoice.hidden.get("intent")
    if intent is not None:
        payments.watch(intent, lambda decline: conclude(account, invoice, decline))
    elif invoice["status"] == "paid":
        follow_payment(account, invoice)


def collect(account: Account, invoice: Resource, method: Resource | None = None, payer: Payer = ABSENT) -> Verdict:
    """Try to collect an open invoice with ``method`` or the default one."""
    subscription = subscription_of(invoice)
    method = method or default_method(account, subscription)
    if method is None:
        conclude(account, invoice, NO_METHOD.decline)
        return NO_METHOD
    said = payments.attempt(account, invoice.hidden["intent"], method, payer)
    if said.outcome == "processing" and subscription["status"] == "incomplete":
        subscription_state.set_status(account, subscription, "active")
    if said.outcome == "requires_action":
        account.emit("invoice.payment_action_required", invoice)
    if said.outcome == "succeeded":
        payment_methods.attach(account, method, invoice["customer"])
    return said


def conclude(account: Account, invoice: Resource, decline: str | None) -> None:
    """Follow an attempt that ended: paid, or declined with a decline code."""
    if invoice["status"] != "open":
        return
    if decline is None:
        invoices.mark_paid(account, invoice, attempted=True)
        follow_payment(account, invoice)
        return
    subscription = subscription_of(invoice)
    first = subscription["status"] == "incomplete"
    held = subscription["pending_update"] is not None
    retry = None if first or held or subscription["status"] in subscription_state.OVER else _next_attempt(account, invoice)
    with account.changing(invoice, "invoice.payment_failed", "invoice.updated"):
        invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True, "next_payment_attempt": retry}
    if decline == "authentication_required":
        account.emit("invoice.payment_action_required", invoice)
    _set_delinquent(account, invoice, delinquent=True)
    if not first and not held:
        _dun(account, invoice, subscription, retry)


def _next_attempt(account: Account, invoice: Resource) -> int | None:
    done = invoice["attempt_count"]
    waits = account.policy.retries
    return account.now(invoice["customer"]) + waits[done] if done < len(waits) and invoice["auto_advance"] else None


def _dun(account: Account, invoice: Resource, subscription: Resource, retry: int | None) -> None:
    if subscription["status"] in {"active", "trialing"}:
        subscription_state.set_status(account, subscription, "past_due")
    if retry is not None:
        account.timeline(invoice["customer"]).schedule(retry, lambda: _retry(account, invoice, retry))
    elif subscription["status"] == "past_due" and invoice["auto_advance"]:
        if account.policy.after_retries == "canceled":
            subscription_state.end(account, subscription, "payment_failed")
        else:
            subscription_state.set_status(account, subscription, account.policy.after_retries)


def _retry(account: Account, invoice: Resource, due: int) -> None:
    if invoice["status"] == "open" and invoice["next_payment_attempt"] == due:
        collect(account, invoice)


def follow_payment(account: Account, invoice: Resource) -> None:
    """Do to the subscription what a paid invoice does."""
    on_paid = invoice.hidden.pop("on_paid", None)
    if on_paid is not None:
        on_paid()
    subscription = subscription_of(invoice)
    _set_delinquent(account, invoice, delinquent=False)
    waiting = {"incomplete"} | (set() if subscription_state.open_invoices(account, subscription) else {"past_due", "unpaid"})
    if subscription["status"] in waiting:
        subscription_state.set_status(account, subscription, "active")


def _set_delinquent(account: Account, invoice: Resource, *, delinquent: bool) -> None:
    customer = account.table("customer").get(invoice["customer"])
    with account.changing(customer, "customer.updated"):
        customer["delinquent"] = delinquent
