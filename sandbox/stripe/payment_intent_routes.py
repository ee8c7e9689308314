"""The API of payment intents: docs.stripe.com/api/payment_intents."""

from sandbox.stripe import customers, money, payment_methods, payments
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.errors import ApiError, invalid
from sandbox.stripe.paginate import page
from sandbox.stripe.params import array, boolean, choice, currency, either, integer, merged, metadata, nested, text, unsettable
from sandbox.stripe.payment_intents import CANCELABLE, cancel, create, keep_method
from sandbox.stripe.payments import Payer
from sandbox.stripe.resource import Json, Resource

SHOWN = (
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "excluded_payment_method_types",
)


def _create(call: Call) -> Json:
    account, given = call.account, call.params
    money.check_charge(given["amount"], given["currency"])
    if given.get("off_session") and not given.get("confirm"):
        raise invalid("The parameter off_session cannot be used unless confirm is true.", "off_session")
    if given.get("customer"):
        customers.alive(account, given["customer"])
    method = payment_methods.resolve(account, given["payment_method"]) if given.get("payment_method") else None
    _check_owner(method, given.get("customer"))
    facts: Json = {key: given[key] for key in SHOWN if key in given} | {"metadata": merged(None, given.get("metadata", {}))}
    intent = create(account, given["amount"], given["currency"], given.get("customer"), facts)
    intent.hidden["return_url"] = given.get("return_url")
    if method is not None:
        intent |= {"status": "requires_confirmation", "payment_method": method.id}
    return _confirm(account, intent, given) if given.get("confirm") else intent


def _check_owner(method: Resource | None, customer: str | None) -> None:
    if method is not None and method["customer"] not in {None, customer}:
        raise invalid("The provided PaymentMethod belongs to another customer. Pass that customer too.", "payment_method")


def _confirm(account: Account, intent: Resource, given: Json) -> Resource:
    identifier = intent["payment_method"]
    if identifier is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. Update it with one, or pass payment_method.",
            "payment_method",
            "payment_intent_unexpected_state",
        )
    method = account.table("payment_method").get(identifier)
    off_session = given.get("off_session") not in {None, False}
    intent.hidden["return_url"] = given.get("return_url") or intent.hidden.get("return_url")
    if given.get("error_on_requires_action") and payments.verdict(method, payments.PRESENT).outcome == "requires_action":
        said = payments.Verdict("declined", "authentication_required")
    else:
        said = payments.attempt(account, intent, method, Payer(present=not off_session))
    if said.outcome == "declined":
        raise payments.refusal(method, said.decline or "generic_decline", None, intent)
    if said.outcome != "requires_action":
        keep_method(account, intent, method)
    return intent


def _confirm_call(call: Call) -> Json:
    intent = call.get("payment_intent")
    if intent["status"] not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
        raise _unexpected(intent, "confirm")
    if call.params.get("payment_method"):
        method = payment_methods.resolve(call.account, call.params["payment_method"])
        _check_owner(method, intent["customer"])
        intent["payment_method"] = method.id
    intent.update({key: call.params[key] for key in ("receipt_email", "setup_future_usage") if key in call.params})
    return _confirm(call.account, intent, call.params)


def _unexpected(intent: Resource, verb: str) -> ApiError:
    said = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    return ApiError(said, code="payment_intent_unexpected_state", extra={"payment_intent": dict(intent)})


def _cancel_call(call: Call) -> Json:
    intent = call.get("payment_intent")
    if intent["status"] not in CANCELABLE:
        raise _unexpected(intent, "cancel")
    cancel(call.account, intent, call.params.get("cancellation_reason", "requested_by_customer"))
    return intent


def _update(call: Call) -> Json:
    intent, given = call.get("payment_intent"), call.params
    if intent["status"] not in CANCELABLE and set(given) - {"metadata", "description", "expand"}:
        raise _unexpected(intent, "update")
    if "amount" in given:
        money.check_charge(given["amount"], given.get("currency", intent["currency"]))
    intent.update({key: given[key] for key in (*SHOWN, "amount", "currency") if key in given})
    if given.get("payment_method"):
        method = payment_methods.resolve(call.account, given["payment_method"])
        intent |= {"payment_method": method.id, "status": "requires_confirmation"}
    if "metadata" in given:
        intent["metadata"] = merged(intent["metadata"], given["metadata"])
    return intent


SHARED = {
    "description": unsettable(text),
    "excluded_payment_method_types": array(text),
    "metadata": metadata,
    "payment_method": text,
    "receipt_email": unsettable(text),
    "setup_future_usage": choice("off_session", "on_session"),
    "statement_descriptor": text,
    "statement_descriptor_suffix": text,
}
CONFIRMING = {"error_on_requires_action": boolean, "off_session": either(boolean, "one_off", "recurring"), "return_url": text}
AUTOMATIC = nested({"enabled": boolean, "allow_redirects": choice("always", "never")}, "enabled")
CREATION = {
    **SHARED,
    **CONFIRMING,
    "amount": integer,
    "automatic_payment_methods": AUTOMATIC,
    "capture_method": choice("automatic", "automatic_async"),
    "confirm": boolean,
    "currency": currency,
    "customer": text,
}
CONFIRMATION = {**CONFIRMING, "payment_method": text, "receipt_email": text, "setup_future_usage": choice("off_session", "on_session")}
REASONS = choice("abandoned", "duplicate", "fraudulent", "requested_by_customer")
ROUTES: list[Route] = [
    post("/v1/payment_intents", _create, CREATION, "amount", "currency"),
    listing(
        "/v1/payment_intents",
        lambda call: page(call, call.account.table("payment_intent"), customer=call.params.get("customer")),
        {"customer": text},
    ),
    get("/v1/payment_intents/*", lambda call: call.get("payment_intent")),
    post("/v1/payment_intents/*", _update, {**SHARED, "amount": integer, "currency": currency}),
    post("/v1/payment_intents/*/confirm", _confirm_call, CONFIRMATION),
    post("/v1/payment_intents/*/cancel", _cancel_call, {"cancellation_reason": REASONS}),
]
