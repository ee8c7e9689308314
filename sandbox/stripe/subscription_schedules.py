"""Changes planned for the end of a period: docs.stripe.com/api/subscription_schedules. One begins with a subscription that is there."""

from sandbox.stripe import cycle, item_changes, periods, prices, subscription_items
from sandbox.stripe import subscription_state as state
from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, Route, get, listing, post
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.item_changes import ItemChange
from sandbox.stripe.paginate import page
from sandbox.stripe.params import array, boolean, choice, either, integer, merged, metadata, nested, text
from sandbox.stripe.resource import Json, Resource

KIND = "subscription_schedule"
OVER = frozenset({"canceled", "completed", "released"})


def _create(call: Call) -> Json:
    account = call.account
    subscription = call.named("subscription", "from_subscription")
    if subscription is None:
        raise missing_parameter("from_subscription")
    if subscription["schedule"]:
        raise invalid(f"You cannot migrate a subscription that is already attached to a schedule: {subscription['schedule']}.")
    if subscription["status"] in state.OVER:
        raise invalid("You cannot create a schedule from a subscription that is canceled.", "from_subscription")
    items = cycle.items_of(subscription)
    period = (items[0]["current_period_start"], items[0]["current_period_end"])
    made = Resource(_shape(account, subscription, period) | {"metadata": merged(None, call.params.get("metadata", {}))})
    made["phases"] = [_phase(subscription, [(item["price"]["id"], item["quantity"]) for item in items], *period, "create_prorations")]
    account.table(KIND).add(made, customer=made["customer"])
    subscription["schedule"] = made.id
    account.emit("subscription_schedule.created", made)
    return made


def _update(call: Call) -> Json:
    account, schedule = call.account, call.get(KIND)
    if schedule["status"] in OVER:
        raise invalid(f"You cannot update a subscription schedule that is currently in the `{schedule['status']}` status.")
    subscription = account.table("subscription").get(schedule["subscription"])
    with account.changing(schedule, "subscription_schedule.updated"):
        schedule["end_behavior"] = call.params.get("end_behavior", schedule["end_behavior"])
        schedule["metadata"] = merged(schedule["metadata"], call.params.get("metadata", {}))
        if "phases" in call.params:
            schedule["phases"] = _phases(account, subscription, call.params["phases"])
            later = schedule["phases"][1:]
            subscription.hidden["next_phase"] = (lambda: _turn(account, schedule, subscription)) if later else None
    return schedule


def _release(call: Call) -> Json:
    schedule = call.get(KIND)
    if schedule["status"] in OVER:
        raise invalid(f"You cannot release a subscription schedule that is currently in the `{schedule['status']}` status.")
    release(call.account, schedule)
    return schedule


def release(account: Account, schedule: Resource) -> None:
    """Leave the subscription as it is, and to itself."""
    subscription = account.table("subscription").get(schedule["subscription"])
    subscription["schedule"], subscription.hidden["next_phase"] = None, None
    schedule |= {
        "status": "released",
        "released_at": account.now(schedule["customer"]),
        "released_subscription": subscription.id,
        "subscription": None,
        "current_phase": None,
    }
    account.emit("subscription_schedule.released", schedule)


def _phases(account: Account, subscription: Resource, given: list[Json]) -> list[Json]:
    now, end = account.now(subscription["customer"]), cycle.period_end(subscription)
    found: list[Json] = []
    for place, each in enumerate(given):
        follows: int = found[-1]["end_date"] if found else now
        start: int = each.get("start_date") or follows
        if place and start != found[-1]["end_date"]:
            raise invalid("Each phase must begin where the one before it ends.", f"phases[{place}][start_date]")
        if not place and each.get("end_date", end) != end:
            raise invalid("In this sandbox the first phase ends with the period that runs.", "phases[0][end_date]")
        items = [_item(account, item, f"phases[{place}][items][{number}]") for number, item in enumerate(each["items"])]
        until: int = each.get("end_date") or (_after(account, items, start) if place else end)
        found.append(_phase(subscription, items, start, until, each.get("proration_behavior", "create_prorations")))
    if not found or len(found) > 2:  # noqa: PLR2004 - what runs now, and what follows
        raise invalid("In this sandbox a schedule has one or two phases.", "phases")
    return found


def _item(account: Account, given: Json, param: str) -> tuple[str, int]:
    return subscription_items.price_of(account, given, param).id, given.get("quantity", 1)


def _after(account: Account, items: list[tuple[str, int]], start: int) -> int:
    every = account.table("price").get(items[0][0])["recurring"]
    return periods.end_after(start, every["interval"], every["interval_count"], start)


def _turn(account: Account, schedule: Resource, subscription: Resource) -> None:
    """Put the next phase's items on the subscription, as its new period begins, and release it."""
    following = schedule["phases"][1]
    table = account.table("price")
    before = cycle.items_of(subscription)
    after: list[Json] = [
        Resource({**item, "price": table.get(new["price"]), "plan": prices.plan_of(table.get(new["price"])), "quantity": new["quantity"]})
        for item, new in zip(before, following["items"], strict=True)
    ]
    change = ItemChange(list(before), after)
    item_changes.apply(account, subscription, change)
    if change.restarts:
        subscription["billing_cycle_anchor"] = following["start_date"]
    release(account, schedule)


def _phase(subscription: Resource, items: list[tuple[str, int]], start: int, end: int, prorations: str) -> Json:
    nothing: Json = dict.fromkeys(
        ("application_fee_percent", "automatic_tax", "billing_cycle_anchor", "billing_thresholds", "collection_method",
         "default_payment_method", "description", "invoice_settings", "on_behalf_of", "transfer_data", "trial_end")
    )  # fmt: skip
    return {
        **nothing,
        "add_invoice_items": [],
        "currency": subscription["currency"],
        "default_tax_rates": [],
        "discounts": [],
        "end_date": end,
        "items": [
            {"billing_thresholds": None, "discounts": [], "metadata": {}, "plan": price, "price": price, "quantity": count, "tax_rates": []}
            for price, count in items
        ],
        "metadata": {},
        "proration_behavior": prorations,
        "start_date": start,
    }


def _shape(account: Account, subscription: Resource, period: tuple[int, int]) -> Json:
    settings: Json = dict.fromkeys(
        ("application_fee_percent", "billing_thresholds", "default_payment_method", "description", "on_behalf_of", "transfer_data")
    )
    return {
        "id": account.ids.new("sub_sched"),
        "object": KIND,
        "application": None,
        "billing_mode": subscription["billing_mode"],
        "canceled_at": None,
        "completed_at": None,
        "created": account.now(subscription["customer"]),
        "current_phase": {"end_date": period[1], "start_date": period[0]},
        "customer": subscription["customer"],
        "customer_account": None,
        "default_settings": {
            **settings,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": "automatic",
            "collection_method": "charge_automatically",
            "invoice_settings": {
                "account_tax_ids": None, "custom_fields": None, "days_until_due": None, "description": None, "footer": None,
                "issuer": {"type": "self"},
            },
        },
        "end_behavior": "release",
        "livemode": False,
        "metadata": {},
        "pause_schedules": [],
        "phases": [],
        "released_at": None,
        "released_subscription": None,
        "status": "active",
        "subscription": subscription.id,
        "test_clock": subscription["test_clock"],
    }  # fmt: skip


MOMENT = either(integer, "now")
PHASE = nested(
    {
        "end_date": MOMENT,
        "items": array(nested({"price": text, "quantity": integer})),
        "metadata": metadata,
        "proration_behavior": choice("always_invoice", "create_prorations", "none"),
        "start_date": MOMENT,
    },
    "items",
)
CHANGE = {
    "end_behavior": choice("cancel", "release"),
    "metadata": metadata,
    "phases": array(PHASE),
    "proration_behavior": choice("always_invoice", "create_prorations", "none"),
}
ROUTES: list[Route] = [
    post("/v1/subscription_schedules", _create, {"from_subscription": text, "metadata": metadata}, "from_subscription"),
    listing("/v1/subscription_schedules", lambda call: page(call, call.account.table(KIND), customer=call.params.get("customer")),
            {"customer": text}),
    get("/v1/subscription_schedules/*", lambda call: call.get(KIND)),
    post("/v1/subscription_schedules/*", _update, CHANGE),
    post("/v1/subscription_schedules/*/release", _release, {"preserve_cancel_date": boolean}),
]  # fmt: skip
