"""Payment intents: docs.stripe.com/api/payment_intents."""

from sandbox.stripe import payment_methods, payments
from sandbox.stripe.account import Account
from sandbox.stripe.payments import Payer
from sandbox.stripe.resource import Json, Resource

CANCELABLE = {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"}


def create(account: Account, amount: int, currency_code: str, customer: str | None, facts: Json | None = None) -> Resource:
    """Make an intent that waits for a payment method; ``facts`` are fields to show on it."""
    identifier = account.ids.new("pi")
    intent = Resource(
        {
            "id": identifier,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": f"{identifier}_secret_{account.ids.secret(25)}",
            "confirmation_method": "automatic",
            "created": account.now(customer),
            "currency": currency_code,
            "customer": customer,
            "customer_account": None,
            "description": None,
            "excluded_payment_method_types": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": None,
            "shipping": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        }
        | (facts or {})
    )
    account.table("payment_intent").add(intent, customer=customer)
    account.emit("payment_intent.created", intent)
    return intent


def cancel(account: Account, intent: Resource, reason: str) -> None:
    """Cancel an intent that nothing was paid on."""
    intent |= {"status": "canceled", "canceled_at": account.now(intent["customer"]), "cancellation_reason": reason, "next_action": None}
    account.emit("payment_intent.canceled", intent)


def keep_method(account: Account, intent: Resource, method: Resource) -> None:
    """Attach the payment method to the intent's customer when it is to be used again."""
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.attach(account, method, intent["customer"])


def authenticate(account: Account, intent: Resource, *, passed: bool) -> payments.Verdict:
    """Finish 3-D Secure on an intent that waits for it."""
    method = account.table("payment_method").get(intent["payment_method"])
    said = payments.attempt(account, intent, method, Payer(present=True, authenticated=passed))
    if said.outcome != "declined":
        keep_method(account, intent, method)
    return said
