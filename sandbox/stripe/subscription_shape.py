"""What a new subscription looks like: docs.stripe.com/api/subscriptions/object."""

from sandbox.stripe.account import Account
from sandbox.stripe.errors import invalid
from sandbox.stripe.params import merged
from sandbox.stripe.resource import Json

DAY = 86_400
LONGEST_TRIAL = 730


def trial_end_of(params: Json, now: int) -> int | None:
    """Return when the trial that ``params`` ask for ends; raise when it is out of bounds."""
    days, end = params.get("trial_period_days"), params.get("trial_end")
    if days is not None and not 1 <= days <= LONGEST_TRIAL:
        raise invalid(f"trial_period_days must be between 1 and {LONGEST_TRIAL}", "trial_period_days")
    if end is not None and end != "now" and end <= now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
    found: int | None = now + days * DAY if days else None if end == "now" else end
    return found


def new_subscription(account: Account, params: Json, now: int, trial_end: int | None, currency: str) -> Json:
    """Return a subscription as the API shows it, without its items: trialing until ``trial_end``, else incomplete."""
    behavior = {"end_behavior": {"missing_payment_method": "create_invoice"}}
    return {
        "id": account.ids.new("sub"),
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": params["customer"],
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": params.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": [],
        "description": params.get("description"),
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": None,
        "latest_invoice": None,
        "livemode": False,
        "metadata": merged(None, params.get("metadata", {})),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}
        | params.get("payment_settings", {}),
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "trialing" if trial_end else "incomplete",
        "status_details": None,
        "test_clock": account.table("customer").get(params["customer"])["test_clock"],
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": params.get("trial_settings") or behavior,
        "trial_start": now if trial_end else None,
    }
