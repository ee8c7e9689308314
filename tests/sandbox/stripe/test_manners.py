"""How the API behaves whatever the route: keys, errors, idempotency, expansion, pages."""

import base64
import re
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest
import stripe
from stripe.params import WebhookEndpointCreateParams

from sandbox.faults import Fault, FaultKind
from sandbox.stripe.event_types import EVENT_TYPES
from tests.sandbox.stripe.shop import Shop


async def call(
    shop: Shop, method: str, path: str, data: dict[str, str] | bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Any, Any]:
    headers = {"Authorization": f"Bearer {shop.emulator.api_key}", **(headers or {})}
    async with aiohttp.ClientSession() as http, http.request(method, shop.emulator.base_url + path, headers=headers, data=data) as answer:
        return answer.status, await answer.json(), answer.headers


@pytest.mark.parametrize("authorization", ["", "Bearer sk_test_nobody_knows_this_key", "Basic !!!", "Basic c2tfdGVzdDo="])
async def test_an_unknown_key_is_refused_and_never_repeated(shop: Shop, authorization: str) -> None:
    status, body, _ = await call(shop, "GET", "/v1/products", headers={"Authorization": authorization})
    assert (status, body["error"]["type"]) == (401, "invalid_request_error")
    assert "nobody_knows" not in str(body)


async def test_the_key_works_as_basic_user_name_too(shop: Shop) -> None:
    basic = base64.b64encode(f"{shop.emulator.api_key}:".encode()).decode()
    status, _, _ = await call(shop, "GET", "/v1/products", headers={"Authorization": f"Basic {basic}"})
    assert status == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/widgets"), ("POST", "/v1/products/x/y"), ("DELETE", "/v1/events/evt_1"), ("GET", "/v1/products/")]
)
async def test_an_unknown_route_is_named(shop: Shop, method: str, path: str) -> None:
    status, body, _ = await call(shop, method, path)
    assert status == 404
    assert body["error"]["message"].startswith(f"Unrecognized request URL ({method}: {path})")


@pytest.mark.parametrize(
    ("path", "data", "code", "param"),
    [
        ("/v1/products", {"name": "x", "colour": "red"}, "parameter_unknown", "colour"),
        ("/v1/products", {}, "parameter_missing", "name"),
        ("/v1/products", {"name": ""}, "parameter_invalid_empty", "name"),
        ("/v1/prices", {"currency": "usd", "product": "prod_none", "unit_amount": "5"}, "resource_missing", "product"),
        ("/v1/prices", {"currency": "usd", "product": "p", "unit_amount": "ten"}, "parameter_invalid_integer", "unit_amount"),
        ("/v1/payment_intents", {"amount": "5", "currency": "usd"}, "amount_too_small", "amount"),
        (
            "/v1/payment_intents",
            {"amount": "500", "currency": "usd", "payment_method_types[]": "card"},
            "parameter_unknown",
            "payment_method_types",
        ),
        ("/v1/customers", {"metadata[k]": "v" * 501}, None, "metadata[k]"),
        ("/v1/customers", {"a[b": "c"}, None, "a[b"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(shop: Shop, path: str, data: dict[str, str], code: str | None, param: str) -> None:
    status, body, _ = await call(shop, "POST", path, data=data)
    assert (status, body["error"].get("code"), body["error"]["param"]) == (400, code, param)


async def test_a_missing_object_is_404(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.api.v1.customers.retrieve_async("cus_nobody")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert "No such customer: 'cus_nobody'" in str(refused.value)


async def test_answers_carry_the_vendors_headers_and_the_sandboxs_time(shop: Shop) -> None:
    _, _, headers = await call(shop, "GET", "/v1/account")
    assert headers["Request-Id"].startswith("req_")
    assert headers["Stripe-Version"] == "2026-10-28.endive"
    assert parsedate_to_datetime(headers["Date"]) == shop.clock.now()


async def test_the_account_says_who_it_is(shop: Shop) -> None:
    account = await shop.api.v1.accounts.retrieve_current_async()
    assert (account.id, account.charges_enabled) == (shop.emulator.account.id, True)


async def test_the_same_idempotency_key_gives_the_first_answer_again(shop: Shop) -> None:
    headers = {"Idempotency-Key": "order-1"}
    first = await call(shop, "POST", "/v1/products", data={"name": "Gold"}, headers=headers)
    second = await call(shop, "POST", "/v1/products", data={"name": "Gold"}, headers=headers)
    assert first[:2] == second[:2]
    assert "Idempotent-Replayed" not in first[2]
    assert (second[2]["Idempotent-Replayed"], second[2]["Original-Request"]) == ("true", first[2]["Request-Id"])
    status, body, _ = await call(shop, "POST", "/v1/products", data={"name": "Silver"}, headers=headers)
    assert (status, body["error"]["type"]) == (400, "idempotency_error")
    assert len((await shop.api.v1.products.list_async()).data) == 1


async def test_a_refused_request_leaves_its_idempotency_key_free(shop: Shop) -> None:
    headers = {"Idempotency-Key": "order-2"}
    assert (await call(shop, "POST", "/v1/products", data={"nome": "Gold"}, headers=headers))[0] == 400
    assert (await call(shop, "POST", "/v1/products", data={"name": "Gold"}, headers=headers))[0] == 200


async def test_a_declined_card_is_replayed_too(shop: Shop) -> None:
    params: Any = {"amount": 500, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await shop.api.v1.payment_intents.create_async(params, {"idempotency_key": "tip-1"})
    assert len((await shop.api.v1.payment_intents.list_async()).data) == 1


async def test_an_idempotency_key_is_forgotten_after_a_day(shop: Shop) -> None:
    for _ in range(2):
        await shop.api.v1.products.create_async({"name": "Gold"}, {"idempotency_key": "once"})
        await shop.pass_time(hours=25)
    assert len((await shop.api.v1.products.list_async()).data) == 2


async def test_pages_follow_one_another_without_gap_or_overlap(shop: Shop) -> None:
    made = [(await shop.api.v1.customers.create_async({"email": f"{place}@example.com"})).id for place in range(7)]
    down = await shop.api.v1.customers.list_async({"limit": 3})
    found = [row.id async for row in down.auto_paging_iter()]
    assert found == made[::-1]
    assert down.has_more is True
    up = await shop.api.v1.customers.list_async({"limit": 3, "ending_before": made[2]})
    assert [row.id for row in up.data] == [made[5], made[4], made[3]]
    assert up.has_more is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.api.v1.customers.list_async({"limit": 101})
    assert refused.value.param == "limit"


async def test_a_list_is_filtered_by_time(shop: Shop) -> None:
    await shop.api.v1.customers.create_async({"email": "old@example.com"})
    await shop.pass_time(days=1)
    now = int(shop.clock.now().timestamp())
    late = await shop.api.v1.customers.create_async({"email": "new@example.com"})
    assert [row.id for row in (await shop.api.v1.customers.list_async({"created": {"gte": now}})).data] == [late.id]
    assert (await shop.api.v1.customers.list_async({"created": {"gt": now}})).data == []


async def test_two_filters_hold_at_once(shop: Shop) -> None:
    first, second = [await shop.subscribe() for _ in range(2)]
    await shop.pass_time(days=31)
    found = await shop.api.v1.invoices.list_async({"customer": str(first.customer), "subscription": first.id})
    assert len(found.data) == 2
    assert (await shop.api.v1.invoices.list_async({"customer": str(first.customer), "subscription": second.id})).data == []


async def test_expansion_reaches_four_levels_and_no_further(shop: Shop) -> None:
    await shop.subscribe()
    listed = await shop.api.v1.invoice_payments.list_async({"expand": ["data.payment.payment_intent.latest_charge"]})
    intent: Any = listed.data[0].payment.payment_intent
    assert intent.latest_charge.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        await shop.api.v1.subscriptions.list_async({"expand": ["data.latest_invoice.payments.data.payment"]})
    for path in ("customer", "data.colour", "data.status"):
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            await shop.api.v1.subscriptions.list_async({"expand": [path]})


async def test_expanding_leaves_what_is_stored_alone(shop: Shop) -> None:
    made = await shop.subscribe()
    await shop.api.v1.subscriptions.retrieve_async(made.id, {"expand": ["customer", "items.data.price.product"]})
    again = await shop.subscription(made.id)
    assert isinstance(again.customer, str)
    assert isinstance(again["items"].data[0].price.product, str)


async def test_a_connected_account_keeps_its_objects_to_itself(shop: Shop) -> None:
    other = shop.emulator.model.create_account("Ann", platform=shop.emulator.account)
    made = await shop.api.v1.products.create_async({"name": "Hers"}, {"stripe_account": other.id})
    assert (await shop.api.v1.products.retrieve_async(made.id, options={"stripe_account": other.id})).name == "Hers"
    with pytest.raises(stripe.InvalidRequestError):
        await shop.api.v1.products.retrieve_async(made.id)
    with pytest.raises(stripe.PermissionError) as refused:
        await shop.api.v1.products.list_async(options={"stripe_account": "acct_nobody"})
    assert refused.value.error
    assert refused.value.error.code == "account_invalid"


async def test_an_injected_limit_and_outage_look_like_the_vendors(shop: Shop) -> None:
    shop.emulator.wire.faults.add(Fault("stripe", FaultKind.RATE_LIMITED, "GET /v1/products"))
    with pytest.raises(stripe.RateLimitError):
        await shop.api.v1.products.list_async(options={"max_network_retries": 0})
    outage = shop.emulator.wire.faults.outage("stripe")
    with pytest.raises(stripe.APIError):
        await shop.api.v1.products.list_async(options={"max_network_retries": 0})
    shop.emulator.wire.faults.lift(outage)
    assert (await shop.api.v1.products.list_async()).data == []


async def test_a_lost_answer_is_found_again_by_its_key(shop: Shop) -> None:
    shop.emulator.wire.faults.add(Fault("stripe", FaultKind.TIMEOUT_AFTER, "POST /v1/products"))
    with pytest.raises(stripe.APIConnectionError):
        await shop.api.v1.products.create_async({"name": "Gold"}, {"idempotency_key": "k", "max_network_retries": 0})
    await shop.api.v1.products.create_async({"name": "Gold"}, {"idempotency_key": "k"})
    assert len((await shop.api.v1.products.list_async()).data) == 1


async def test_metadata_is_merged_key_by_key_and_cleared_by_an_empty_value(shop: Shop) -> None:
    made = await shop.api.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}})
    changed = await shop.api.v1.customers.update_async(made.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    cleared = await shop.api.v1.customers.update_async(made.id, {"metadata": ""})
    assert cleared.metadata
    assert cleared.metadata.to_dict() == {}


async def test_a_lookup_key_moves_only_when_asked(shop: Shop) -> None:
    price = await shop.api.v1.prices.retrieve_async(await shop.price())
    params: Any = {"product": price.product, "currency": "usd", "unit_amount": 500, "lookup_key": "gold"}
    first = await shop.api.v1.prices.create_async(params)
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        await shop.api.v1.prices.create_async(params)
    second = await shop.api.v1.prices.create_async(params | {"transfer_lookup_key": True})
    assert [row.id for row in (await shop.api.v1.prices.list_async({"lookup_keys": ["gold"]})).data] == [second.id]
    assert (await shop.api.v1.prices.retrieve_async(first.id)).lookup_key is None


async def test_a_refusal_found_late_leaves_the_key_free_too(shop: Shop) -> None:
    headers = {"Idempotency-Key": "price-1"}
    data = {"product": "prod_later", "currency": "usd", "unit_amount": "500"}
    assert (await call(shop, "POST", "/v1/prices", data=data, headers=headers))[0] == 400
    await shop.api.v1.products.create_async({"id": "prod_later", "name": "Gold"})
    assert (await call(shop, "POST", "/v1/prices", data=data, headers=headers))[0] == 200


async def test_a_list_is_in_order_of_creation_however_its_rows_came_to_it(shop: Shop) -> None:
    customer = await shop.api.v1.customers.create_async({"email": "ann@example.com"})
    cards = [await shop.api.v1.payment_methods.create_async({"type": "card", "card": {"token": "tok_visa"}}) for _ in range(3)]
    for card in cards[::-1]:
        await shop.api.v1.payment_methods.attach_async(card.id, {"customer": customer.id})
    pages = await shop.api.v1.customers.payment_methods.list_async(customer.id, {"limit": 2})
    assert [row.id async for row in pages.auto_paging_iter()] == [card.id for card in cards[::-1]]


@pytest.mark.parametrize("version", ["garbage", "2020-08-27", ""])
async def test_another_version_of_the_api_is_refused_by_name(shop: Shop, version: str) -> None:
    status, body, headers = await call(shop, "GET", "/v1/account", headers={"Stripe-Version": version})
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert body["error"]["message"] == f"Invalid Stripe API version: {version}"
    assert headers["Stripe-Version"] == "2026-10-28.endive"
    assert (await call(shop, "GET", "/v1/account", headers={"Stripe-Version": "2026-10-28.endive"}))[0] == 200


async def test_a_body_that_is_no_text_and_a_route_of_the_second_version_are_refused_with_an_error_object(shop: Shop) -> None:
    status, body, headers = await call(shop, "POST", "/v1/products", data=b"name=\xff\xfe", headers={"Content-Type": "text/plain"})
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert headers["Request-Id"].startswith("req_")
    status, body, _ = await call(shop, "GET", "/v2/core/events")
    assert status == 404
    assert body["error"]["message"].startswith("Unrecognized request URL (GET: /v2/core/events)")


async def test_an_endpoint_asks_only_for_events_there_are(shop: Shop) -> None:
    url = {"url": "https://example.com/hook"}
    for wanted in ("*", "invoice.paid", "price.created"):
        assert (await call(shop, "POST", "/v1/webhook_endpoints", data={**url, "enabled_events[0]": wanted}))[0] == 200
    made = await shop.api.v1.webhook_endpoints.create_async({"url": url["url"], "enabled_events": ["invoice.paid"]})
    for path in ("/v1/webhook_endpoints", f"/v1/webhook_endpoints/{made.id}"):
        bogus = {**url, "enabled_events[0]": "invoice.paid", "enabled_events[1]": "bogus.event"}
        status, body, _ = await call(shop, "POST", path, data=bogus)
        assert (status, body["error"]["param"]) == (400, "enabled_events[1]")
    assert (await shop.api.v1.webhook_endpoints.retrieve_async(made.id)).enabled_events == ["invoice.paid"]


def test_the_types_of_events_are_those_the_vendors_library_knows() -> None:
    known = str(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    assert EVENT_TYPES | {"*"} == set(re.findall(r"[*a-z_.0-9]+", known.partition("Literal[")[2].partition("]")[0]))
