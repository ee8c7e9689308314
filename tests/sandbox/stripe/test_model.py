"""The model alone: no sockets, and the same seed gives the same answers."""

import json
import random
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import VirtualClock
from sandbox.stripe import form, periods
from sandbox.stripe.checkout_payment import Typed, pay
from sandbox.stripe.errors import ApiError
from sandbox.stripe.model import Answer, Request, StripeModel
from sandbox.stripe.timeline import Timeline

NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
LEAVES = st.text(max_size=12)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=8
    ),
    max_size=4,
)


def encode(value: object, prefix: str = "") -> list[str]:
    if isinstance(value, dict):
        return [part for key, child in value.items() for part in encode(child, f"{prefix}[{key}]" if prefix else key)]
    if isinstance(value, list):
        return [part for place, child in enumerate(value) for part in encode(child, f"{prefix}[{place}]")]
    return [f"{quote(prefix)}={quote(str(value))}"]


def depth(value: object) -> int:
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + max(map(depth, children), default=0)


@given(TREES.filter(lambda tree: depth(tree) <= form.MAX_DEPTH))
def test_a_form_decodes_to_what_was_encoded(tree: dict[str, object]) -> None:
    assert form.decode("&".join(encode(tree))) == tree


@given(st.text("ab[]01=&", max_size=40))
def test_any_form_decodes_or_is_refused(text: str) -> None:
    refusal: type[Exception] | None = None
    try:
        decoded = form.decode(text)
    except ApiError as refused:
        refusal = type(refused)
    assert refusal is ApiError or isinstance(decoded, dict)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 31)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 3),
    st.integers(-2_000, 2_000),
)
def test_a_period_ends_after_the_moment_and_the_one_before_does_not(anchor: datetime, interval: str, count: int, days: int) -> None:
    start = int(anchor.replace(tzinfo=UTC).timestamp())
    moment = start + days * 86_400
    end = periods.end_after(start, interval, count, moment)
    assert end > moment
    most = {"day": 2_100, "week": 310, "month": 75, "year": 8}[interval]
    steps = next(n for n in range(-most, most) if periods.plus(start, interval, count * n) == end)
    assert periods.plus(start, interval, count * (steps - 1)) <= moment


@given(st.lists(st.integers(0, 50), max_size=20))
def test_what_falls_due_runs_in_order_and_at_its_moment(moments: list[int]) -> None:
    timeline = Timeline(lambda: 0)
    ran: list[tuple[int, int]] = []
    for moment in moments:
        timeline.schedule(moment, lambda moment=moment: ran.append((moment, timeline.now())))  # type: ignore[misc]
    timeline.run_until(25)
    assert ran == [(moment, moment) for moment in sorted(moments) if moment <= 25]


def play(seed: int) -> list[str]:
    clock = VirtualClock()
    model = StripeModel(clock, seed)
    said: list[Answer] = []

    def call(method: str, path: str, fields: str = "") -> str:
        said.append(model.handle(Request(method, path, fields, model.api_key)))
        return str(json.loads(said[-1].body).get("id"))

    product = call("POST", "/v1/products", "name=Gold")
    price = call("POST", "/v1/prices", f"product={product}&currency=usd&unit_amount=999&recurring[interval]=month")
    items = f"line_items[0][price]={price}&line_items[0][quantity]=1"
    chance = random.Random(seed)  # noqa: S311 - a story is to be repeatable
    for place in range(5):
        session = call("POST", "/v1/checkout/sessions", f"mode=subscription&success_url=http://shop.invalid&{items}")
        card = chance.choice(["4242424242424242", "4000000000000341", "4000000000000002"])
        pay(model.default, model.default.table("checkout.session").get(session), Typed(f"fan{place}@example.com", card))
        clock.advance(timedelta(days=chance.randint(0, 20)))
    clock.advance(timedelta(days=90))
    call("GET", "/v1/events", "limit=100")
    call("GET", "/v1/subscriptions", "status=all&limit=100")
    return [answer.body for answer in said]


def test_the_same_seed_and_calls_give_the_same_answers() -> None:
    assert play(5) == play(5)
    assert play(5) != play(6)


@pytest.mark.parametrize("seed", range(5))
def test_the_books_agree_with_the_invoices(seed: int) -> None:
    clock = VirtualClock()
    model = StripeModel(clock, seed)
    account = model.default
    fields = "name=Gold&default_price_data[currency]=usd&default_price_data[unit_amount]=1000&default_price_data[recurring][interval]=month"
    product = json.loads(model.handle(Request("POST", "/v1/products", fields, model.api_key)).body)
    chance = random.Random(seed)  # noqa: S311 - a story is to be repeatable
    for place in range(20):
        items = f"line_items[0][price]={product['default_price']}"
        body = model.handle(
            Request("POST", "/v1/checkout/sessions", f"mode=subscription&success_url=http://x.invalid&{items}", model.api_key)
        ).body
        card = chance.choice(["4242424242424242", "4000000000000341", "4000000000009995", "000123456789", "000111111116"])
        pay(account, account.table("checkout.session").get(json.loads(body)["id"]), Typed(f"fan{place}@example.com", card))
        clock.advance(timedelta(days=chance.randint(0, 12)))
    clock.advance(timedelta(days=200))
    model.tick()
    paid = sum(row["amount_paid"] for row in account.table("invoice") if row["status"] == "paid")
    charged = sum(row["amount"] for row in account.table("charge") if row["status"] == "succeeded")
    booked = sum(row["amount"] for row in account.table("balance_transaction"))
    assert paid == charged == booked > 0
    for row in account.table("subscription"):
        opened = [each for each in account.table("invoice").where("subscription", row.id) if each["status"] == "open"]
        owing = [each for each in opened if each.hidden["intent"]["status"] != "processing"]
        assert not (row["status"] == "active" and owing), row
