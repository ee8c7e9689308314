"""Changing, canceling, pausing and resuming subscriptions: docs.stripe.com/api/subscriptions/update."""

from sandbox.stripe import collection, cycle, discounts, invoice_lines, item_changes, payments, pending_update, subscription_items
from sandbox.stripe import subscription_state as state
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, post
from sandbox.stripe.errors import invalid
from sandbox.stripe.item_changes import ItemChange
from sandbox.stripe.params import choice, integer, merged, nested, text, unsettable
from sandbox.stripe.resource import Json, Resource
from sandbox.stripe.subscriptions import SHARED

STILL_OPEN_TO = {"metadata", "cancellation_details", "expand"}


def update(account: Account, subscription: Resource, params: Json) -> None:
    """Change a subscription as the API's update does, and bill what follows from it."""
    if subscription["status"] in state.OVER and set(params) - STILL_OPEN_TO:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    if subscription["schedule"] and {"cancel_at", "cancel_at_period_end"} & params.keys():
        raise invalid(f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
                      "cancelation behavior directly is not allowed. Please update the schedule instead.")  # fmt: skip
    change = item_changes.plan(account, subscription, params["items"]) if "items" in params else None
    _check_method(account, subscription, params)
    now = account.now(subscription["customer"])
    behavior = params.get("payment_behavior", "allow_incomplete")
    if change is not None and change.priced_anew and behavior in {"pending_if_incomplete", "error_if_incomplete"}:
        said = _foretold(account, subscription)
        if said.outcome == "declined" and behavior == "error_if_incomplete":
            raise payments.refusal(_method(account, subscription), said.decline or "generic_decline")
        if said.outcome == "declined":
            pending_update.hold(account, subscription, change)
            return
    with account.changing(subscription, "customer.subscription.updated"):
        _plain(account, subscription, params)
        lines = _items(account, subscription, change, params, now)
        trial = _trial(account, subscription, params, now)
        _ends(account, subscription, params)
    cycle.follow_pause(account, subscription)
    if trial or (change is not None and change.restarts) or _anchored_now(params):
        bill_anew(account, subscription, lines)
    elif lines and params.get("proration_behavior") == "always_invoice":
        bill(account, subscription, lines)
    elif lines:
        subscription.hidden.setdefault("pending_lines", []).extend(lines)


def _method(account: Account, subscription: Resource) -> Resource:
    return collection.default_method(account, subscription) or Resource({})


def _foretold(account: Account, subscription: Resource) -> payments.Verdict:
    method = collection.default_method(account, subscription)
    return collection.NO_METHOD if method is None else payments.verdict(method, payments.ABSENT)


def _check_method(account: Account, subscription: Resource, params: Json) -> None:
    identifier = params.get("default_payment_method")
    if identifier:
        method = account.table("payment_method").get(identifier, "default_payment_method")
        if method["customer"] != subscription["customer"]:
            raise invalid("The customer does not have a payment method with that ID. Attach it first.", "default_payment_method")


def _plain(account: Account, subscription: Resource, params: Json) -> None:
    for key in ("default_payment_method", "description", "pause_collection", "trial_settings"):
        if key in params:
            subscription[key] = params[key]
    if subscription["pause_collection"]:
        subscription["pause_collection"] = {"resumes_at": None} | subscription["pause_collection"]
    subscription["payment_settings"] |= params.get("payment_settings", {})
    subscription["cancellation_details"] |= params.get("cancellation_details", {})
    if "metadata" in params:
        subscription["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "discounts" in params:
        given = [each for each in params["discounts"] or [] if "discount" not in each]
        kept = [each["discount"] for each in params["discounts"] or [] if "discount" in each]
        customer = subscription["customer"]
        redeemed = discounts.named(account, given, customer, sum(item["price"]["unit_amount"] for item in cycle.items_of(subscription)))
        started = [discounts.start(account, coupon, code, customer, subscription=subscription.id).id for coupon, code in redeemed]
        subscription["discounts"] = kept + started


def _items(account: Account, subscription: Resource, change: ItemChange | None, params: Json, now: int) -> list[Json]:
    if change is None:
        return []
    prorated = change.priced_anew and params.get("proration_behavior") != "none" and subscription["status"] in {"active", "past_due"}
    lines = change.prorations(account, now) if prorated else []
    item_changes.apply(account, subscription, change)
    if change.restarts and subscription["status"] != "trialing":
        restart(subscription, now)
    return lines


def restart(subscription: Resource, now: int) -> None:
    """Begin a new period now; renewals follow from it."""
    subscription["billing_cycle_anchor"] = now
    cycle.set_period(subscription, now, cycle.next_end(subscription, now))


def _anchored_now(params: Json) -> bool:
    return (params.get("billing_cycle_anchor") or {}).get("type") == "now"


def _trial(account: Account, subscription: Resource, params: Json, now: int) -> bool:
    """Begin, move or end a trial; True when a new period begins with it."""
    if _anchored_now(params) and subscription["status"] != "trialing":
        restart(subscription, now)
    if "trial_end" not in params:
        return False
    end = params["trial_end"]
    if end == "now":
        if subscription["status"] != "trialing":
            return False
        subscription |= {"status": "active", "trial_end": now}
        restart(subscription, now)
        return True
    if end <= now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
    begun = subscription["trial_start"] if subscription["status"] == "trialing" else now
    subscription |= {"status": "trialing", "trial_start": begun, "trial_end": end, "billing_cycle_anchor": end}
    cycle.set_period(subscription, begun, end)
    cycle.follow(account, subscription)
    return False


def _ends(account: Account, subscription: Resource, params: Json) -> None:
    at_end = params.get("cancel_at_period_end", subscription["cancel_at_period_end"] if "cancel_at" not in params else False)
    if at_end and params.get("cancel_at"):
        raise invalid("You may only specify one of these parameters: cancel_at, cancel_at_period_end.", "cancel_at")
    due = params.get("cancel_at", None if "cancel_at_period_end" in params else subscription["cancel_at"])
    if at_end or due in {"min_period_end", "max_period_end"}:
        due = cycle.period_end(subscription)
    if (at_end, due) == (subscription["cancel_at_period_end"], subscription["cancel_at"]):
        return
    asked = subscription["canceled_at"] or account.now(subscription["customer"])
    subscription |= {"cancel_at_period_end": at_end, "cancel_at": due, "canceled_at": asked if due else None}
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if due else None
    cycle.follow_end(account, subscription)


def bill_anew(account: Account, subscription: Resource, lines: list[Json]) -> None:
    """Bill the new period that began now, with ``lines`` before it."""
    lines = lines + [invoice_lines.charge_line(account, item) for item in cycle.items_of(subscription)]
    bill(account, subscription, lines)
    cycle.follow(account, subscription)


def bill(account: Account, subscription: Resource, lines: list[Json]) -> Resource:
    """Invoice ``lines`` now and collect them."""
    invoice = cycle.invoice(account, subscription, "subscription_update", lines, at_once=True)
    collection.finalize_and_collect(account, invoice)
    return invoice


def _update(call: Call) -> Json:
    subscription = call.get("subscription")
    update(call.account, subscription, call.params)
    return subscription


FEEDBACK = choice(
    "customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex", "too_expensive", "unused"
)
ANCHOR = nested({"type": choice("now", "unchanged")}, "type")
DETAILS = nested({"comment": unsettable(text), "feedback": unsettable(FEEDBACK)})
PRORATION = choice("always_invoice", "create_prorations", "none")
COLLECTION = nested({"behavior": choice("keep_as_draft", "mark_uncollectible", "void"), "resumes_at": integer}, "behavior")
CHANGE = {
    **SHARED,
    "billing_cycle_anchor": ANCHOR,
    "cancellation_details": DETAILS,
    "items": subscription_items.CHANGE,
    "pause_collection": unsettable(COLLECTION),
    "payment_behavior": choice("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"),
    "proration_date": integer,
}
ROUTES: list[Route] = [post("/v1/subscriptions/*", _update, CHANGE)]
