"""What POST /v1/checkout/sessions accepts: docs.stripe.com/api/checkout/sessions/create.

``payment_method_types`` is not among it: this API version took it away.
"""

from sandbox.stripe import prices
from sandbox.stripe.params import Table, array, boolean, choice, currency, integer, metadata, nested, text
from sandbox.stripe.subscriptions import END_BEHAVIOR

LINE_ITEM = nested(
    {
        "metadata": metadata,
        "price": text,
        "price_data": nested({**prices.DATA, "product": text, "product_data": prices.PRODUCT_DATA}, "currency"),
        "quantity": integer,
    }
)
SUBSCRIPTION_DATA = nested(
    {
        "description": text,
        "metadata": metadata,
        "trial_end": integer,
        "trial_period_days": integer,
        "trial_settings": nested({"end_behavior": END_BEHAVIOR}, "end_behavior"),
    }
)
PAYMENT_INTENT_DATA = nested(
    {
        "description": text,
        "metadata": metadata,
        "receipt_email": text,
        "setup_future_usage": choice("off_session", "on_session"),
        "statement_descriptor": text,
        "statement_descriptor_suffix": text,
    }
)
CREATION: Table = {
    "allow_promotion_codes": boolean,
    "allowed_payment_method_types": array(text),
    "billing_address_collection": choice("auto", "required"),
    "cancel_url": text,
    "client_reference_id": text,
    "currency": currency,
    "customer": text,
    "customer_creation": choice("always", "if_required"),
    "customer_email": text,
    "discounts": array(nested({"coupon": text, "promotion_code": text})),
    "excluded_payment_method_types": array(text),
    "expires_at": integer,
    "line_items": array(LINE_ITEM),
    "locale": text,
    "metadata": metadata,
    "mode": choice("payment", "subscription"),
    "payment_intent_data": PAYMENT_INTENT_DATA,
    "payment_method_collection": choice("always", "if_required"),
    "phone_number_collection": nested({"enabled": boolean}, "enabled"),
    "submit_type": choice("auto", "book", "donate", "pay", "subscribe"),
    "subscription_data": SUBSCRIPTION_DATA,
    "success_url": text,
    "ui_mode": choice("hosted_page"),
}
FILTERS: Table = {
    "customer": text,
    "customer_details": nested({"email": text}, "email"),
    "payment_intent": text,
    "status": choice("complete", "expired", "open"),
    "subscription": text,
}
