"""A person on the hosted page: the card or bank account they type, 3-D Secure, and what the session becomes."""

from dataclasses import dataclass

from sandbox.stripe import checkout, coupons, customers, discounts, payment_intents, payment_methods, payments, subscriptions
from sandbox.stripe.account import Account
from sandbox.stripe.checkout_means import PageError, means_of, needs_payment_method
from sandbox.stripe.errors import invalid
from sandbox.stripe.payments import Payer, Verdict
from sandbox.stripe.resource import Json, Resource

DONE = Verdict("succeeded")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed: an e-mail address, a name, and the number of a test card or bank account."""

    email: str
    number: str
    name: str = ""


def apply_code(account: Account, session: Resource, code: str) -> None:
    """Put a promotion code on the session; raise ApiError with a sentence for the person."""
    if not session["allow_promotion_codes"]:
        raise invalid("This page takes no codes.")
    row = coupons.promotion(account, code, session["customer"])
    subtotal = sum(item["amount_subtotal"] for item in session.hidden["line_items"])
    discounts.check(account, row, session["customer"], subtotal, "promotion_code")
    coupon = coupons.redeemable(account.table("coupon").get(row["promotion"]["coupon"]), "promotion_code")
    if not discounts.covers(coupon, {item["price"]["product"] for item in session.hidden["line_items"]}):
        raise invalid("This code is not for anything on this page.", "promotion_code", "coupon_applies_to_nothing")
    session.hidden["redeemed"] = [(coupon, row)]
    session["discounts"] = [{"coupon": coupon.id, "promotion_code": row.id}]
    checkout.price(session)


def pay(account: Account, session: Resource, typed: Typed) -> Verdict:
    """Do what the page's button does. ``requires_action``: 3-D Secure comes next, see :func:`authenticate`."""
    if session["status"] != "open":
        raise PageError("This page has expired or was paid already.")
    email = session["customer_email"] or _known_email(account, session) or typed.email
    if not email or "@" not in email:
        raise PageError("Enter your e-mail address.")
    method = None
    if needs_payment_method(session):
        billing = {"email": email, "name": typed.name or None}
        method = payment_methods.make(account, means_of(typed.number, session), billing=billing)
    session.hidden |= {"method": method, "email": email, "name": typed.name or None}
    return _proceed(account, session, payments.PRESENT)


def authenticate(account: Account, session: Resource, *, passed: bool) -> Verdict:
    """Go on after 3-D Secure."""
    if session["status"] != "open" or session.hidden.get("method") is None:
        raise PageError("There is nothing to confirm on this page.")
    return _proceed(account, session, Payer(present=True, authenticated=passed))


def _known_email(account: Account, session: Resource) -> str | None:
    email: str | None = account.table("customer").get(session["customer"])["email"] if session["customer"] else None
    return email


def _proceed(account: Account, session: Resource, payer: Payer) -> Verdict:
    said = _take_payment(account, session, payer) if session["mode"] == "payment" else _subscribe(account, session, payer)
    if said.outcome in {"succeeded", "processing"}:
        _keep_email(account, session)
        _complete(account, session, said)
    return said


def _keep_email(account: Account, session: Resource) -> None:
    """Give a customer without an e-mail address the one that was typed: a page that was not paid asks for it again."""
    known: str | None = session.hidden["customer"]
    if known is not None and not account.table("customer").get(known)["email"]:
        account.table("customer").get(known)["email"] = session.hidden["email"]


def _customer(account: Account, session: Resource) -> str | None:
    """Return the session's customer, making one (once) when it is to have one."""
    known: str | None = session.hidden["customer"]
    if known is None and (session["customer_creation"] == "always" or _saves_card(session)):
        email, name = session.hidden["email"], session.hidden["name"]
        known = session.hidden["customer"] = customers.create(account, {"email": email, "name": name}).id
    return known


def _saves_card(session: Resource) -> bool:
    return bool((session.hidden["params"].get("payment_intent_data") or {}).get("setup_future_usage"))


def _take_payment(account: Account, session: Resource, payer: Payer) -> Verdict:
    method = session.hidden["method"]
    customer = _customer(account, session)
    if method is None:
        return DONE
    said = payments.verdict(method, payer)
    if said.outcome == "requires_action":
        return said
    intent = _intent(account, session, customer)
    said = payments.attempt(account, intent, method, payer)
    if said.outcome != "declined":
        payment_intents.keep_method(account, intent, method)
    return said


def _intent(account: Account, session: Resource, customer: str | None) -> Resource:
    """Return the one payment intent of the session."""
    if session["payment_intent"]:
        return account.table("payment_intent").get(session["payment_intent"])
    data: Json = dict(session.hidden["params"].get("payment_intent_data") or {})
    intent = payment_intents.create(account, session["amount_total"], session["currency"], customer, {"metadata": {}} | data)
    session["payment_intent"] = intent.id
    account.table("checkout.session").link(session, "payment_intent", intent.id)
    return intent


def _subscribe(account: Account, session: Resource, payer: Payer) -> Verdict:
    method = session.hidden["method"]
    customer = _customer(account, session) or ""
    said = payments.verdict(method, payer) if method is not None else DONE
    if said.outcome == "requires_action":
        return said
    if said.outcome == "declined" and session["amount_total"]:
        intent = payment_intents.create(
            account, session["amount_total"], session["currency"], customer, {"description": "Subscription creation"}
        )
        return payments.attempt(account, intent, method, payer)
    if said.outcome == "declined":
        return said
    if method is not None:
        payment_methods.attach(account, method, customer)
        method.hidden["authenticated"] |= payer.authenticated is True
    subscription = subscriptions.create(account, _subscription_params(session, customer, method), method, payer)
    session |= {"subscription": subscription.id, "invoice": subscription["latest_invoice"]}
    account.table("checkout.session").link(session, "subscription", subscription.id)
    return said


def _subscription_params(session: Resource, customer: str, method: Resource | None) -> Json:
    items = [
        {"price": item["price"].id, "quantity": item["quantity"], "metadata": item["metadata"]} for item in session.hidden["line_items"]
    ]
    redeemed = [{"promotion_code": code.id} if code else {"coupon": coupon.id} for coupon, code in session.hidden["redeemed"]]
    paid = {"default_payment_method": method.id} if method is not None else {}
    data: Json = session.hidden["params"].get("subscription_data") or {}
    return {**data, **paid, "customer": customer, "items": items, "discounts": redeemed, "payment_behavior": "allow_incomplete"}


def _complete(account: Account, session: Resource, said: Verdict) -> None:
    customer = session.hidden["customer"]
    if session["mode"] == "payment":
        for coupon, code in session.hidden["redeemed"]:
            discounts.start(account, coupon, code, customer, checkout_session=session.id)
    status = (
        "unpaid"
        if said.outcome == "processing" and session["amount_total"]
        else "paid"
        if session["amount_total"]
        else "no_payment_required"
    )
    session |= {"status": "complete", "customer": customer, "payment_status": status, "url": None, "customer_details": _details(session)}
    account.table("checkout.session").link(session, "customer", customer)
    account.emit("checkout.session.completed", session)
    if status == "unpaid":
        payments.watch(_paying_intent(account, session), lambda decline: _settled(account, session, decline))


def _details(session: Resource) -> Json:
    address: Json = dict(payment_methods.NOWHERE)
    return {
        "address": address,
        "business_name": None,
        "email": session.hidden["email"],
        "individual_name": None,
        "name": session.hidden["name"],
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _paying_intent(account: Account, session: Resource) -> Resource:
    if session["payment_intent"]:
        return account.table("payment_intent").get(session["payment_intent"])
    intent: Resource = account.table("invoice").get(session["invoice"]).hidden["intent"]
    return intent


def _settled(account: Account, session: Resource, decline: str | None) -> None:
    if session["payment_status"] != "unpaid":
        return
    if decline is None:
        session["payment_status"] = "paid"
    account.emit(f"checkout.session.async_payment_{'failed' if decline else 'succeeded'}", session)
