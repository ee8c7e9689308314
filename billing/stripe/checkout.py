"""What we ask of a Checkout Session: one line, our reference on everything it makes, and the payment methods Stripe finds fit."""

from stripe.params.checkout import (
    SessionCreateParams,
    SessionCreateParamsLineItem,
    SessionCreateParamsSubscriptionData,
)

from billing.stripe.snapshots import metadata
from core.payments import CheckoutRequest

LOCALES = frozenset({
    "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hi-IN", "hr", "hu", "id", "it", "ja",
    "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
})  # fmt: skip
"""The languages Checkout speaks; any other is refused."""


def session_params(request: CheckoutRequest) -> SessionCreateParams:
    """Return the parameters of a session. The same request always gives the same ones, as Stripe demands of a repeated key."""
    marks = metadata(request.reference, request.kind)
    params: SessionCreateParams = {
        "mode": "subscription" if request.recurring else "payment",
        "line_items": [_line(request)],
        "client_reference_id": request.reference,
        "metadata": marks,
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }
    if request.recurring:
        params["subscription_data"] = _subscription_data(request, marks)
        if not request.card:
            params["payment_method_collection"] = "if_required"
    else:
        params["payment_intent_data"] = {"metadata": marks}
        params["submit_type"] = "pay"  # tips too: "donate" is for fundraisers, whom Stripe reviews
    if request.codes:
        params["allow_promotion_codes"] = True
    if request.customer:
        params["customer"] = request.customer
    elif not request.recurring:
        params["customer_creation"] = "always"  # a subscription always makes one, and refuses the question
    if locale := spoken(request.locale_name):
        params["locale"] = locale
    return params


def spoken(locale: str) -> str:
    """Return the language of Checkout's that fits ``locale`` (as ``pt-BR`` or ``sv-SE``); empty: let the browser say."""
    language = locale.split("-", 1)[0]
    return next((name for name in (locale, language) if name in LOCALES), "")


def _line(request: CheckoutRequest) -> SessionCreateParamsLineItem:
    if request.price:
        return {"price": request.price, "quantity": 1}
    if request.amount is None or not request.name or request.recurring:
        raise ValueError("a checkout needs a price, or an amount with a name that is paid once")
    return {
        "price_data": {
            "currency": request.amount.currency.lower(),
            "unit_amount": request.amount.minor,
            "product_data": {"name": request.name},
        },
        "quantity": 1,
    }


def _subscription_data(request: CheckoutRequest, marks: dict[str, str]) -> SessionCreateParamsSubscriptionData:
    data: SessionCreateParamsSubscriptionData = {"metadata": marks}
    if request.trial_days:
        data["trial_period_days"] = request.trial_days
        data["trial_settings"] = {"end_behavior": {"missing_payment_method": "cancel"}}
    return data
