"""Whatever is sent to whatever route, the answer is the vendor's: never a crash."""

import json
import random
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from sandbox.clock import VirtualClock
from sandbox.stripe.call import Route
from sandbox.stripe.checkout_payment import Typed, pay
from sandbox.stripe.model import Request, StripeModel
from sandbox.stripe.routes import ROUTER

KINDS = {
    "products": "product",
    "prices": "price",
    "customers": "customer",
    "payment_methods": "payment_method",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "balance_transactions": "balance_transaction",
    "refunds": "refund",
    "disputes": "dispute",
    "early_fraud_warnings": "radar.early_fraud_warning",
    "coupons": "coupon",
    "promotion_codes": "promotion_code",
    "subscriptions": "subscription",
    "subscription_schedules": "subscription_schedule",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "sessions": "checkout.session",
    "configurations": "billing_portal.configuration",
    "events": "event",
    "webhook_endpoints": "webhook_endpoint",
    "test_clocks": "test_helpers.test_clock",
    "accounts": "account",
}
CALLS = 40
HALF = 0.5
YEAR = 366 * 86_400
VALUES = [
    "",
    "0",
    "1",
    "-1",
    "500",
    "1893456000",
    "true",
    "false",
    "usd",
    "now",
    "month",
    "*",
    "pm_card_visa",
    "http://shop.invalid/",
    "\u20ac\x00",
    "x" * 600,
]
INNER = [
    "",
    "",
    "",
    "",
    "",
    "",
    "[0]",
    "[]",
    "[a]",
    "[0][price]",
    "[0][id]",
    "[type]",
    "[interval]",
    "[gte]",
    "[coupon]",
    "[behavior]",
    "[name]",
    "[0][b][c][d][e][f][g][h][i]",
]

VALID = {
    "/v1/products": "name=Gold",
    "/v1/prices": "product={product}&currency=usd&unit_amount=999",
    "/v1/customers/*/balance_transactions": "amount=-100&currency=usd",
    "/v1/payment_methods": "type=card&card[token]=tok_visa",
    "/v1/payment_methods/*/attach": "customer={customer}",
    "/v1/payment_intents": "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true",
    "/v1/payment_intents/*/confirm": "payment_method=pm_card_visa",
    "/v1/refunds": "payment_intent={payment_intent}&amount=1",
    "/v1/coupons": "percent_off=10&duration=repeating&duration_in_months=2",
    "/v1/promotion_codes": "promotion[type]=coupon&promotion[coupon]={coupon}",
    "/v1/subscriptions": "customer={customer}&items[0][price]={price}",
    "/v1/subscriptions/*": "metadata[a]=b&cancel_at_period_end=true&trial_end=now",
    "/v1/checkout/sessions": "mode=subscription&success_url=http://shop.invalid/&line_items[0][price]={price}",
    "/v1/billing_portal/sessions": "customer={customer}",
    "/v1/webhook_endpoints": "url=http://shop.invalid/&enabled_events[]=*",
    "/v1/test_helpers/test_clocks": "frozen_time=1800000000",
    "/v1/test_helpers/test_clocks/*/advance": "frozen_time=1800086400",
}
"""Fields that a creation takes, so that random ones may follow what is right."""


def populated() -> StripeModel:
    """A model with one or more of everything."""
    clock = VirtualClock()
    model = StripeModel(clock, 3)

    def post(path: str, fields: str) -> dict[str, str]:
        answer = model.handle(Request("POST", path, fields, model.api_key))
        assert answer.status == 200, answer.body
        found: dict[str, str] = json.loads(answer.body)
        return found

    product = post("/v1/products", "name=Gold")["id"]
    price = post("/v1/prices", f"product={product}&currency=usd&unit_amount=999&recurring[interval]=month")["id"]
    coupon = post("/v1/coupons", "percent_off=10")["id"]
    post("/v1/promotion_codes", f"promotion[type]=coupon&promotion[coupon]={coupon}")
    post("/v1/webhook_endpoints", "url=http://shop.invalid/&enabled_events[]=*")
    post("/v1/test_helpers/test_clocks", "frozen_time=1800000000")
    for card in ("4242424242424242", "4000000000000341", "4000000000000259", "4000000000005423"):
        session = post("/v1/checkout/sessions", f"mode=subscription&success_url=http://shop.invalid/&line_items[0][price]={price}")["id"]
        pay(model.default, model.default.table("checkout.session").get(session), Typed("fan@example.com", card))
    clock.advance(timedelta(days=31))
    charge = model.default.table("charge").rows[0].id
    post("/v1/refunds", f"charge={charge}&amount=1")
    post("/v1/billing_portal/sessions", f"customer={model.default.table('customer').rows[0].id}")
    return model


def known_ids(model: StripeModel) -> list[str]:
    return [row.id for table in model.default.tables.values() for row in table.rows[-2:]]


@pytest.mark.parametrize("route", ROUTER.routes, ids=lambda route: f"{route.method} {route.pattern}")
def test_no_parameters_break_a_route(route: Route) -> None:
    chance = random.Random(f"{route.method} {route.pattern}")  # noqa: S311 - the same calls in every run
    model = populated()
    for _ in range(CALLS):
        ids = known_ids(model)
        parts = route.pattern.split("/")
        for place, part in enumerate(parts):
            if part == "*":
                rows = model.default.table(KINDS[parts[place - 1]]).rows
                parts[place] = chance.choice([*(row.id for row in rows[-3:]), "nobody"])
        names = [*route.required, *chance.choices([*route.accepts, "colour"], k=chance.randint(0, 3))]
        fields = urlencode([(name + chance.choice(INNER), chance.choice(VALUES + ids)) for name in names])
        if route.method == "POST" and route.pattern in VALID and chance.random() < HALF:
            newest = {kind: table.rows[-1].id for kind, table in model.default.tables.items() if table.rows}
            fields = "&".join([VALID[route.pattern].format(**newest), *([fields] if fields and chance.random() < HALF else [])])
        answer = model.handle(Request(route.method, "/".join(parts), fields, model.api_key))
        assert answer.status in {200, 400, 402, 403, 404}, (parts, fields)
        body = json.loads(answer.body)
        assert "error" not in body if answer.status == 200 else body["error"]["message"], (parts, fields)
    model.main.run_until(model.main.now() + YEAR)
