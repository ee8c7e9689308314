"""The account itself: docs.stripe.com/api/accounts."""

from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get
from sandbox.stripe.errors import no_access
from sandbox.stripe.resource import Json

DUE: Json = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}


def shown(account: Account) -> Json:
    """Render an account."""
    profile = {"mcc": None, "name": account.name, "support_email": None, "support_phone": None, "support_url": None, "url": None}
    return {
        "id": account.id,
        "object": "account",
        "business_profile": profile,
        "business_type": None,
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": account.created,
        "default_currency": account.currency,
        "details_submitted": True,
        "email": "owner@example.com",
        "future_requirements": dict(DUE),
        "metadata": {},
        "payouts_enabled": True,
        "requirements": dict(DUE),
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_payments": {"statement_descriptor_prefix": None},
            "dashboard": {"display_name": account.name, "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": account.name.upper()},
        },
        "type": "standard",
    }


def _retrieve(call: Call) -> Json:
    if call.id == call.account.id:
        return shown(call.account)
    for account in call.account.connected:
        if account.id == call.id:
            return shown(account)
    raise no_access("sk_test_" + "*" * 12, call.id)


ROUTES: list[Route] = [
    get("/v1/account", lambda call: shown(call.account)),
    get("/v1/accounts/*", _retrieve),
]
