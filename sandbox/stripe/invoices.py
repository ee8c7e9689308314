"""Invoices, from draft to paid: docs.stripe.com/api/invoices. Who pays them is :mod:`collection`."""

from sandbox.stripe import customers, invoice_lines, payment_intents
from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid
from sandbox.stripe.resource import Json, Resource, list_of

NO_TAX: Json = {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None}


def draft(
    account: Account, subscription: Resource, reason: str, lines: list[Json], discounts: list[Json], *, advance: bool = True
) -> Resource:
    """Make a draft for ``subscription`` with these lines and ``total_discount_amounts``. ``advance``: it goes on by itself."""
    customer = account.table("customer").get(subscription["customer"])
    item = subscription["items"]["data"][0]
    invoice = Resource(
        {
            "id": account.ids.new("in"),
            "object": "invoice",
            **_amounts(lines, discounts),
            **_customer(customer),
            "account_country": "US",
            "account_name": account.name,
            "account_tax_ids": None,
            "application": None,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": advance,
            "automatic_tax": dict(NO_TAX),
            "automatically_finalizes_at": None,
            "billing_reason": reason,
            "collection_method": subscription["collection_method"],
            "created": account.now(customer.id),
            "currency": subscription["currency"],
            "custom_fields": None,
            "default_payment_method": None,
            "default_source": None,
            "default_tax_rates": [],
            "description": subscription["description"],
            "due_date": None,
            "effective_at": None,
            "ending_balance": None,
            "footer": None,
            "from_invoice": None,
            "hosted_invoice_url": None,
            "invoice_pdf": None,
            "issuer": {"type": "self"},
            "last_finalization_error": None,
            "latest_revision": None,
            "livemode": False,
            "metadata": {},
            "next_payment_attempt": None,
            "number": None,
            "on_behalf_of": None,
            "parent": {
                "quote_details": None,
                "subscription_details": {"metadata": dict(subscription["metadata"]), "subscription": subscription.id},
                "type": "subscription_details",
            },
            "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
            "period_end": item["current_period_start"],
            "period_start": subscription.hidden.get("previous_start", item["current_period_start"]),
            "receipt_number": None,
            "rendering": None,
            "shipping_cost": None,
            "shipping_details": None,
            "starting_balance": customer["balance"],
            "statement_descriptor": None,
            "status": "draft",
            "status_transitions": {"finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None},
            "test_clock": customer["test_clock"],
            "webhooks_delivered_at": account.now(customer.id),
        },
        {"subscription": subscription},
    )
    invoice_lines.spread(lines, discounts, invoice_lines.discountable(lines))
    invoice["lines"] = list_of(f"/v1/invoices/{invoice.id}/lines", invoice_lines.renumbered(lines, invoice))
    account.table("invoice").add(invoice, customer=customer.id, subscription=subscription.id)
    subscription["latest_invoice"] = invoice.id
    account.emit("invoice.created", invoice)
    return invoice


def _amounts(lines: list[Json], discounts: list[Json]) -> Json:
    subtotal = sum(each["amount"] for each in lines)
    total = subtotal - sum(each["amount"] for each in discounts)
    due = max(0, total)
    return {
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "discounts": [each["discount"] for each in discounts],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": discounts,
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }


def _customer(customer: Resource) -> Json:
    copied = ("address", "email", "name", "phone", "shipping", "tax_exempt")
    return {"customer": customer.id, "customer_account": None, "customer_tax_ids": []} | {
        f"customer_{key}": customer[key] for key in copied
    }


def finalize(account: Account, invoice: Resource) -> None:
    """Open a draft: give it a number, use the customer's balance, and make the payment it waits for; nothing due means paid."""
    customer = account.table("customer").get(invoice["customer"])
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, so you cannot finalize it again.", None, "invoice_not_editable")
    now = account.now(customer.id)
    with account.changing(invoice, "invoice.finalized", "invoice.updated"):
        _use_balance(account, customer, invoice)
        invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
        customer["next_invoice_sequence"] += 1
        invoice |= {"status": "open", "effective_at": now, "automatically_finalizes_at": None}
        invoice["hosted_invoice_url"] = f"{account.page_base}/i/{invoice.id}"
        invoice["invoice_pdf"] = f"{account.page_base}/i/{invoice.id}/pdf"
        invoice["status_transitions"]["finalized_at"] = now
        if invoice["amount_due"] > 0:
            _ask_for_payment(account, invoice)
    if invoice["amount_due"] == 0:
        mark_paid(account, invoice)


def _use_balance(account: Account, customer: Resource, invoice: Resource) -> None:
    total, balance = invoice["total"], customer["balance"]
    invoice["starting_balance"] = balance
    used = min(total, max(-balance, -total)) if total > 0 else total
    if used and (balance or total < 0):
        customers.adjust_balance(account, customer, used, "applied_to_invoice", invoice=invoice.id, currency=invoice["currency"])
        invoice["amount_due"] = invoice["amount_remaining"] = max(0, total - used)
    invoice["ending_balance"] = customer["balance"]


def _ask_for_payment(account: Account, invoice: Resource) -> None:
    facts: Json = {"description": f"Invoice {invoice['number']}", "setup_future_usage": "off_session"}
    intent = payment_intents.create(account, invoice["amount_due"], invoice["currency"], invoice["customer"], facts)
    row = Resource(
        {
            "id": account.ids.new("inpay"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": account.now(invoice["customer"]),
            "currency": invoice["currency"],
            "invoice": invoice.id,
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent.id, "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )
    account.table("invoice_payment").add(row, invoice=invoice.id, payment_intent=intent.id)
    intent.hidden["invoice"] = invoice
    invoice.hidden |= {"payment": row, "intent": intent}


def mark_paid(account: Account, invoice: Resource, *, attempted: bool = False) -> None:
    """Record that the invoice is paid: by its payment, or because nothing was due."""
    now = account.now(invoice["customer"])
    payment = invoice.hidden.get("payment")
    if payment is not None and attempted:
        payment |= {"status": "paid", "amount_paid": payment["amount_requested"]}
        payment["status_transitions"]["paid_at"] = now
        account.emit("invoice_payment.paid", payment)
    with account.changing(invoice, "invoice.updated", "invoice.paid", "invoice.payment_succeeded"):
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0, "next_payment_attempt": None}
        invoice |= {"attempted": True, "auto_advance": False, "attempt_count": invoice["attempt_count"] + attempted}
        invoice["status_transitions"]["paid_at"] = now


def close(account: Account, invoice: Resource, status: str) -> None:
    """Give up on an invoice: ``void`` or ``uncollectible``."""
    now = account.now(invoice["customer"])
    field, kind = ("voided_at", "invoice.voided") if status == "void" else ("marked_uncollectible_at", "invoice.marked_uncollectible")
    intent = invoice.hidden.get("intent")
    if status == "void" and intent is not None and intent["status"] in payment_intents.CANCELABLE:
        payment_intents.cancel(account, intent, "void_invoice")
        invoice.hidden["payment"] |= {"status": "canceled"}
        invoice.hidden["payment"]["status_transitions"]["canceled_at"] = now
    with account.changing(invoice, kind, "invoice.updated"):
        invoice |= {"status": status, "auto_advance": False, "next_payment_attempt": None}
        invoice["status_transitions"][field] = now
