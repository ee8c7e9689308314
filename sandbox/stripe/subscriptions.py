"""Making subscriptions: docs.stripe.com/api/subscriptions/create. What changes them is :mod:`subscription_changes`."""

from sandbox.stripe import (
    collection,
    customers,
    cycle,
    discounts,
    invoice_lines,
    invoices,
    payment_methods,
    payments,
    subscription_items,
    subscription_shape,
)
from sandbox.stripe import subscription_state as state
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.paginate import page
from sandbox.stripe.params import array, boolean, choice, either, integer, metadata, nested, text, unsettable
from sandbox.stripe.payments import ABSENT, Payer
from sandbox.stripe.resource import Json, Resource, list_of


def create(account: Account, params: Json, method: Resource | None = None, payer: Payer = ABSENT) -> Resource:
    """Make a subscription and its first invoice, and collect it as ``payment_behavior`` says.

    ``params`` as in the API, with ``items``; ``method`` pays the first invoice when it is not the customer's default.
    """
    customer = customers.alive(account, params["customer"])
    found = subscription_items.priced(account, params["items"])
    customers.check_currency(customer, found[0][0]["currency"], "items")
    total = sum(price["unit_amount"] * quantity for price, quantity, _ in found)
    redeemed = discounts.named(account, params.get("discounts") or [], customer.id, total)
    now = account.now(customer.id)
    trial_end = subscription_shape.trial_end_of(params, now)
    subscription = Resource(subscription_shape.new_subscription(account, params, now, trial_end, found[0][0]["currency"]))
    start = (now, trial_end or now)
    made = [subscription_items.make(account, subscription.id, *each, start) for each in found]
    subscription["items"] = list_of(f"/v1/subscription_items?subscription={subscription.id}", made)
    if trial_end is None:
        cycle.set_period(subscription, now, cycle.next_end(subscription, now))
    table = account.table("subscription")
    table.add(subscription, customer=customer.id, test_clock=customer["test_clock"])
    for item in made:
        table.link(subscription, "price", item["price"].id)
    for coupon, code in redeemed:
        subscription["discounts"].append(discounts.start(account, coupon, code, customer.id, subscription=subscription.id).id)
    customer["currency"] = customer["currency"] or subscription["currency"]
    _begin(account, subscription, params.get("payment_behavior", "allow_incomplete"), method, payer)
    return subscription


def _begin(account: Account, subscription: Resource, behavior: str, method: Resource | None, payer: Payer) -> None:
    trial = subscription["status"] == "trialing"
    method = method or collection.default_method(account, subscription)
    if behavior == "error_if_incomplete" and not trial:
        _refuse_unless_payable(method, payer)
    lines = [invoice_lines.charge_line(account, item, trial=trial) for item in cycle.items_of(subscription)]
    taken = discounts.take(account, subscription, invoice_lines.discountable(lines))
    invoice = invoices.draft(account, subscription, "subscription_create", lines, taken)
    account.emit("customer.subscription.created", subscription)
    collection.open_invoice(account, invoice)
    if invoice["status"] == "open" and behavior != "default_incomplete" and method is not None:
        collection.collect(account, invoice, method, payer)
    cycle.follow(account, subscription)
    if subscription["status"] == "incomplete":
        _expire_later(account, subscription, invoice)


def _refuse_unless_payable(method: Resource | None, payer: Payer) -> None:
    if method is None:
        raise invalid("This customer has no attached payment source or default payment method.", None, "resource_missing")
    said = payments.verdict(method, payer)
    if said.outcome in {"declined", "requires_action"}:
        raise payments.refusal(method, said.decline or "authentication_required")


def _expire_later(account: Account, subscription: Resource, invoice: Resource) -> None:
    def expire() -> None:
        if subscription["status"] == "incomplete":
            state.expire(account, subscription)
            if invoice["status"] == "open":
                invoices.close(account, invoice, "void")

    timeline = account.timeline(subscription["customer"])
    timeline.schedule(timeline.now() + account.policy.incomplete_expires_after, expire)


def _create(call: Call) -> Json:
    params = call.params
    if "default_payment_method" in params:
        method = payment_methods.resolve(call.account, params["default_payment_method"], "default_payment_method")
        if method["customer"] != params["customer"]:
            raise invalid(
                "The customer does not have a payment method with that ID. Attach it first.", "default_payment_method", "resource_missing"
            )
        params["default_payment_method"] = method.id
    if "items" not in params:
        raise missing_parameter("items")
    subscription = create(call.account, params)
    if params.get("cancel_at_period_end") or params.get("cancel_at"):
        subscription["cancel_at_period_end"] = bool(params.get("cancel_at_period_end"))
        subscription["cancel_at"] = params.get("cancel_at") or cycle.period_end(subscription)
        cycle.follow_end(call.account, subscription)
    return subscription


def _list(call: Call) -> Json:
    status: str | None = call.params.get("status")

    def keep(row: Resource) -> bool:
        held: str = row["status"]
        if status is None:
            return held != "canceled"
        return status in {"all", held} or (status == "ended" and held in state.OVER)

    filters = {key: call.params.get(key) for key in ("customer", "price", "test_clock", "collection_method")}
    return page(call, call.account.table("subscription"), keep, **filters)


END_BEHAVIOR = nested({"missing_payment_method": choice("cancel", "create_invoice", "pause")}, "missing_payment_method")
DISCOUNTS = unsettable(array(nested({"coupon": text, "promotion_code": text, "discount": text})))
STATUSES = ("active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid")
SHARED = {
    "cancel_at": unsettable(either(integer, "min_period_end", "max_period_end")),
    "cancel_at_period_end": boolean,
    "collection_method": choice("charge_automatically"),
    "default_payment_method": text,
    "description": unsettable(text),
    "discounts": DISCOUNTS,
    "metadata": metadata,
    "off_session": boolean,
    "payment_settings": nested({"save_default_payment_method": choice("off", "on_subscription")}),
    "proration_behavior": choice("always_invoice", "create_prorations", "none"),
    "trial_end": either(integer, "now"),
    "trial_settings": nested({"end_behavior": END_BEHAVIOR}, "end_behavior"),
}
CREATION = {
    **SHARED,
    "billing_mode": nested({"type": choice("classic", "flexible")}, "type"),
    "customer": text,
    "items": subscription_items.CREATION,
    "payment_behavior": choice("allow_incomplete", "default_incomplete", "error_if_incomplete"),
    "trial_period_days": integer,
}
FILTERS = {"customer": text, "price": text, "status": choice(*STATUSES), "test_clock": text, "collection_method": text}
ROUTES: list[Route] = [
    post("/v1/subscriptions", _create, CREATION, "customer"),
    listing("/v1/subscriptions", _list, FILTERS),
    get("/v1/subscriptions/*", lambda call: call.get("subscription")),
]
