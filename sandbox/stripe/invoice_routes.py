"""The API of invoices and of the payments on them: docs.stripe.com/api/invoices, docs.stripe.com/api/invoice-payment."""

from sandbox.stripe import collection, invoices, payment_methods, payments, subscription_state
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.errors import invalid
from sandbox.stripe.paginate import page
from sandbox.stripe.params import boolean, choice, merged, metadata, nested, text, unsettable
from sandbox.stripe.resource import Json, list_of

STATUSES = ("draft", "open", "paid", "uncollectible", "void")


def _list(call: Call) -> Json:
    filters = {key: call.params.get(key) for key in ("customer", "subscription", "status", "collection_method")}
    return page(call, call.account.table("invoice"), **filters)


def _pay(call: Call) -> Json:
    invoice, account, given = call.get("invoice"), call.account, call.params
    if invoice["status"] == "draft":
        collection.open_invoice(account, invoice)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", None, "invoice_already_paid")
    if invoice["status"] not in {"open", "uncollectible"}:
        raise invalid(f"You can only pay an open invoice; this one is {invoice['status']}.", None, "invoice_not_editable")
    if given.get("paid_out_of_band"):
        return _out_of_band(call)
    method = payment_methods.resolve(account, given["payment_method"]) if "payment_method" in given else None
    method = method or collection.default_method(account, collection.subscription_of(invoice))
    if method is None:
        raise invalid("Cannot charge a customer that has no active card", None, "missing")
    said = collection.collect(account, invoice, method, payments.Payer(present=given.get("off_session") is False))
    if said.outcome == "declined":
        raise payments.refusal(method, said.decline or "generic_decline", None, invoice.hidden["intent"])
    return invoice


def _out_of_band(call: Call) -> Json:
    invoice = call.get("invoice")
    invoices.mark_paid(call.account, invoice)
    collection.follow_payment(call.account, invoice)
    return invoice


def _finalize(call: Call) -> Json:
    invoice = call.get("invoice")
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, so you cannot finalize it again.", None, "invoice_not_editable")
    collection.open_invoice(call.account, invoice)
    if invoice["status"] == "open" and invoice["auto_advance"] and call.params.get("auto_advance", True):
        collection.collect(call.account, invoice)
    return invoice


def _close(call: Call, status: str) -> Json:
    invoice = call.get("invoice")
    if invoice["status"] not in {"open", "uncollectible"} or invoice["status"] == status:
        raise invalid(f"You can only mark an open invoice as {status}; this one is {invoice['status']}.", None, "invoice_not_editable")
    invoices.close(call.account, invoice, status)
    subscription = collection.subscription_of(invoice)
    left = subscription_state.open_invoices(call.account, subscription)
    if not left and subscription["status"] == "past_due":
        subscription_state.set_status(call.account, subscription, "active")
    return invoice


def _update(call: Call) -> Json:
    invoice = call.get("invoice")
    with call.account.changing(invoice, "invoice.updated"):
        invoice.update({key: call.params[key] for key in ("auto_advance", "description") if key in call.params})
        if "metadata" in call.params:
            invoice["metadata"] = merged(invoice["metadata"], call.params["metadata"])
    return invoice


def _lines(call: Call) -> Json:
    return list_of(call.path, call.get("invoice")["lines"]["data"])


def _payments(call: Call) -> Json:
    payment = call.params.get("payment") or {}
    filters = {"invoice": call.params.get("invoice"), "payment_intent": payment.get("payment_intent"), "status": call.params.get("status")}
    return page(call, call.account.table("invoice_payment"), **filters)


FILTERS = {"customer": text, "subscription": text, "status": choice(*STATUSES), "collection_method": text}
PAYING = {"off_session": boolean, "paid_out_of_band": boolean, "payment_method": text}
PAYMENT = nested({"type": choice("payment_intent", "payment_record"), "payment_intent": text, "payment_record": text}, "type")
ROUTES: list[Route] = [
    listing("/v1/invoices", _list, FILTERS),
    get("/v1/invoices/*", lambda call: call.get("invoice")),
    post("/v1/invoices/*", _update, {"auto_advance": boolean, "description": unsettable(text), "metadata": metadata}),
    listing("/v1/invoices/*/lines", _lines),
    post("/v1/invoices/*/pay", _pay, PAYING),
    post("/v1/invoices/*/finalize", _finalize, {"auto_advance": boolean}),
    post("/v1/invoices/*/void", lambda call: _close(call, "void")),
    post("/v1/invoices/*/mark_uncollectible", lambda call: _close(call, "uncollectible")),
    listing("/v1/invoice_payments", _payments, {"invoice": text, "payment": PAYMENT, "status": choice("canceled", "open", "paid")}),
    get("/v1/invoice_payments/*", lambda call: call.get("invoice_payment")),
]
