"""Customer portal sessions and the configuration behind them: docs.stripe.com/api/customer_portal/sessions."""

from sandbox.stripe import customers
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.errors import ApiError, invalid
from sandbox.stripe.paginate import page
from sandbox.stripe.params import boolean, choice, nested, text
from sandbox.stripe.resource import Json, Resource

SESSION = "billing_portal.session"
CONFIGURATION = "billing_portal.configuration"
FLOWS = ("payment_method_update", "subscription_cancel")
REASONS = ["too_expensive", "missing_features", "switched_service", "unused", "customer_service", "too_complex", "low_quality", "other"]


def configuration(account: Account) -> Resource:
    """Return the account's default configuration, making it on first use."""
    for row in account.table(CONFIGURATION):
        return row
    shown = {
        "id": account.ids.new("bpc"),
        "object": CONFIGURATION,
        "active": True,
        "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": account.now(),
        "default_return_url": None,
        "features": _features(),
        "is_default": True,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": account.now(),
    }
    return account.table(CONFIGURATION).add(Resource(shown))


def _features() -> Json:
    return {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": REASONS},
            "enabled": True,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "products": None,
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }


def create(account: Account, params: Json) -> Resource:
    """Make a session: a link for one customer, good for a while."""
    customer = customers.alive(account, params["customer"])
    if params.get("return_url") and not params["return_url"].startswith(("http://", "https://")):
        raise ApiError("Not a valid URL", code="url_invalid", param="return_url")
    used = params.get("configuration") or configuration(account).id
    account.table(CONFIGURATION).get(used, "configuration")
    token = account.ids.secret(40)
    session = Resource(
        {
            "id": account.ids.new("bps"),
            "object": SESSION,
            "configuration": used,
            "created": account.now(),
            "customer": customer.id,
            "customer_account": None,
            "flow": _flow(account, params.get("flow_data"), customer.id),
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url"),
            "url": f"{account.page_base}/p/session/test_{token}",
        }
    )
    return account.table(SESSION).add(session, token=f"test_{token}")


def _flow(account: Account, given: Json | None, customer: str) -> Json | None:
    if given is None:
        return None
    cancel = given.get("subscription_cancel")
    if given["type"] == "subscription_cancel":
        if cancel is None:
            raise invalid("Pass flow_data[subscription_cancel][subscription].", "flow_data[subscription_cancel]", "parameter_missing")
        subscription = account.table("subscription").get(cancel["subscription"], "flow_data[subscription_cancel][subscription]")
        if subscription["customer"] != customer:
            raise invalid("This subscription belongs to another customer.", "flow_data[subscription_cancel][subscription]")
    shown = {"retention": None, "subscription": cancel["subscription"]} if cancel else None
    done = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    return {
        "after_completion": done,
        "subscription_cancel": shown,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": given["type"],
    }


FLOW = nested({"type": choice(*FLOWS), "subscription_cancel": nested({"subscription": text}, "subscription")}, "type")
CREATION = {"configuration": text, "customer": text, "flow_data": FLOW, "locale": text, "return_url": text}


def _list(call: Call) -> Json:
    configuration(call.account)
    return page(call, call.account.table(CONFIGURATION), active=call.params.get("active"), is_default=call.params.get("is_default"))


ROUTES: list[Route] = [
    post("/v1/billing_portal/sessions", lambda call: create(call.account, call.params), CREATION, "customer"),
    listing("/v1/billing_portal/configurations", _list, {"active": boolean, "is_default": boolean}),
    get("/v1/billing_portal/configurations/*", lambda call: call.get(CONFIGURATION)),
]
