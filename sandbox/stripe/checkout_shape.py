"""What a new Checkout Session looks like: docs.stripe.com/api/checkout/sessions/object."""

from sandbox.stripe.account import Account
from sandbox.stripe.params import merged
from sandbox.stripe.resource import Json

SHOWN = (
    "allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "customer", "customer_email",
    "locale", "phone_number_collection", "submit_type", "success_url", "ui_mode",
)  # fmt: skip
NO_INVOICE: Json = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": None,
    "metadata": {},
    "rendering_options": None,
}


def new_session(account: Account, params: Json, mode: str, now: int) -> Json:
    """Return an open session as the API shows it, without what depends on its prices."""
    creation = params.get("customer_creation") or ("if_required" if mode == "payment" and not params.get("customer") else None)
    if mode == "subscription" and not params.get("customer"):
        creation = "always"
    given = {key: params[key] for key in SHOWN if key in params}
    return {
        "id": f"cs_test_{account.ids.token(58)}",
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": None,
        "client_reference_id": None,
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": now,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None},
        "customer": None,
        "customer_account": None,
        "customer_creation": creation,
        "customer_details": None,
        "customer_email": None,
        "invoice": None,
        "invoice_creation": {"enabled": False, "invoice_data": NO_INVOICE} if mode == "payment" else None,
        "livemode": False,
        "locale": None,
        "metadata": merged(None, params.get("metadata", {})),
        "mode": mode,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get("payment_method_collection", "always") if mode == "subscription" else "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": None,
        "ui_mode": "hosted_page",
        "wallet_options": None,
    } | given
