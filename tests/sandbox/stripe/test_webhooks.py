"""Events on their way: signed, retried, and remembered."""

import asyncio
from datetime import timedelta

import pytest
import stripe

from sandbox.faults import Fault, FaultKind
from sandbox.stripe.webhooks import QUICK
from tests.sandbox.stripe.shop import Shop


async def product(shop: Shop) -> None:
    await shop.api.v1.products.create_async({"name": "Gold"})


async def undelivered(shop: Shop) -> list[str]:
    return [event.type for event in (await shop.api.v1.events.list_async({"delivery_success": False})).data]


async def test_an_event_arrives_signed_and_equals_what_the_api_tells(shop: Shop) -> None:
    await shop.listen("product.created")
    made = await shop.api.v1.products.create_async({"name": "Gold"}, {"idempotency_key": "k-1"})
    await shop.emulator.webhooks.settled()
    sent = shop.mailbox.events[0]
    told = await shop.api.v1.events.retrieve_async(sent["id"])
    assert (sent["api_version"], sent["data"]["object"]["id"]) == ("2026-10-28.endive", made.id)
    assert sent["request"]["idempotency_key"] == "k-1"
    assert (sent["pending_webhooks"], told.pending_webhooks) == (1, 0)
    assert told.data.object["id"] == made.id


async def test_only_wanted_types_are_sent(shop: Shop) -> None:
    await shop.listen("price.created")
    await shop.price()
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.types() == ["price.created"]


async def test_an_endpoint_made_by_the_api_shows_its_secret_once(shop: Shop) -> None:
    made = await shop.api.v1.webhook_endpoints.create_async(
        {"url": shop.mailbox.url, "enabled_events": ["*"], "api_version": "2026-10-28.endive"}
    )
    assert made.secret
    shop.mailbox.secret = made.secret
    again = await shop.api.v1.webhook_endpoints.retrieve_async(made.id)
    assert "secret" not in again
    await product(shop)
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.types() == ["product.created"]
    await shop.api.v1.webhook_endpoints.update_async(made.id, {"disabled": True})
    await product(shop)
    await shop.emulator.webhooks.settled()
    assert len(shop.mailbox.events) == 1
    await shop.api.v1.webhook_endpoints.delete_async(made.id)
    with pytest.raises(stripe.InvalidRequestError):
        await shop.api.v1.webhook_endpoints.retrieve_async(made.id)


async def test_a_refused_delivery_is_tried_again_shortly(shop: Shop) -> None:
    await shop.listen("product.created")
    shop.mailbox.failing = 1
    await product(shop)
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.types() == ["product.created"]
    assert await undelivered(shop) == []


async def test_a_delivery_that_keeps_failing_waits_for_the_clock(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.stripe.webhooks.QUICK", tuple(0.0 for _ in QUICK))
    await shop.listen("product.created")
    shop.mailbox.failing = len(QUICK)
    await product(shop)
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.events == []
    assert await undelivered(shop) == ["product.created"]
    await shop.pass_time(hours=1)
    assert shop.mailbox.types() == ["product.created"]


async def test_a_disabled_endpoint_is_not_tried_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.stripe.webhooks.QUICK", (0.0,))
    await shop.listen("product.created")
    shop.mailbox.failing = 1
    await product(shop)
    await shop.emulator.webhooks.settled()
    endpoint = (await shop.api.v1.webhook_endpoints.list_async()).data[0]
    await shop.api.v1.webhook_endpoints.update_async(endpoint.id, {"disabled": True})
    await shop.pass_time(hours=1)
    assert shop.mailbox.events == []


async def test_a_delivery_is_given_up_after_three_days_and_stays_listed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.stripe.webhooks.QUICK", (0.0,))
    await shop.listen("product.created")
    shop.mailbox.failing = 1000
    await product(shop)
    for _ in range(8):
        await shop.emulator.webhooks.settled()
        await shop.pass_time(hours=24)
    event = (await shop.api.v1.events.list_async({"type": "product.created"})).data[0]
    assert event.pending_webhooks == 0
    assert await undelivered(shop) == ["product.created"]
    shop.mailbox.failing = 0
    shop.emulator.redeliver(event.id)
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.types() == ["product.created"]
    assert await undelivered(shop) == []


async def test_a_slow_receiver_does_not_hold_up_the_api(shop: Shop) -> None:
    await shop.listen("product.created")
    await asyncio.wait_for(asyncio.gather(*(product(shop) for _ in range(20))), timeout=10)
    await shop.emulator.webhooks.settled()
    assert len(shop.mailbox.events) == 20


async def test_both_secrets_verify_while_one_is_rolled(shop: Shop) -> None:
    await shop.listen("product.created")
    old = shop.mailbox.secret
    new = shop.emulator.roll_secret(shop.mailbox.url)
    for secret in (old, new):
        shop.mailbox.secret = secret
        await product(shop)
        await shop.emulator.webhooks.settled()
    assert [header.count("v1=") for header in shop.mailbox.headers] == [2, 2]
    shop.emulator.retire_secret(shop.mailbox.url)
    await product(shop)
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.headers[-1].count("v1=") == 1


async def test_a_dropped_webhook_is_listed_as_undelivered(shop: Shop) -> None:
    await shop.listen("product.created")
    shop.emulator.wire.faults.add(Fault("stripe", FaultKind.DROP, r"WEBHOOK product\.created"))
    await product(shop)
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.events == []
    assert await undelivered(shop) == ["product.created"]


async def test_a_duplicated_webhook_arrives_as_often_as_the_plan_says(shop: Shop) -> None:
    await shop.listen("product.created")
    shop.emulator.wire.faults.add(Fault("stripe", FaultKind.DUPLICATE, "WEBHOOK", copies=3))
    await product(shop)
    await shop.emulator.webhooks.settled()
    assert len(shop.mailbox.events) == 3
    assert len({event["id"] for event in shop.mailbox.events}) == 1


async def test_a_delayed_webhook_waits_for_the_sandboxs_time(shop: Shop) -> None:
    await shop.listen("product.created")
    shop.emulator.wire.faults.add(Fault("stripe", FaultKind.DELAY, "WEBHOOK", seconds=600))
    await product(shop)
    await shop.pass_time(seconds=599)
    assert shop.mailbox.events == []
    await shop.pass_time(seconds=1)
    assert shop.mailbox.types() == ["product.created"]


async def test_a_reordered_webhook_comes_after_the_next_one(shop: Shop) -> None:
    await shop.listen("product.created", "price.created")
    shop.emulator.wire.faults.add(Fault("stripe", FaultKind.REORDER, r"WEBHOOK product\.created"))
    await shop.price()
    await shop.emulator.webhooks.settled()
    assert [event["type"] for event in shop.mailbox.events] == ["price.created", "product.created"]


async def test_a_held_webhook_without_a_next_one_is_sent_when_time_moves(shop: Shop) -> None:
    await shop.listen("product.created")
    shop.emulator.wire.faults.add(Fault("stripe", FaultKind.REORDER, "WEBHOOK"))
    await product(shop)
    await shop.emulator.webhooks.settled()
    assert shop.mailbox.events == []
    await shop.pass_time(seconds=1)
    assert shop.mailbox.types() == ["product.created"]


async def test_an_outage_of_the_api_does_not_touch_webhooks_nor_the_reverse(shop: Shop) -> None:
    await shop.listen("product.created")
    drop = shop.emulator.wire.faults.add(Fault("stripe", FaultKind.DROP, times=None))
    await product(shop)
    shop.emulator.wire.faults.lift(drop)
    await product(shop)
    shop.emulator.wire.faults.outage("stripe")
    await shop.emulator.webhooks.settled()
    assert len(shop.mailbox.events) == 1


async def test_a_connect_endpoint_gets_the_events_of_connected_accounts(shop: Shop) -> None:
    other = shop.emulator.model.create_account("Ann", platform=shop.emulator.account)
    shop.mailbox.secret = shop.emulator.create_webhook_endpoint(shop.mailbox.url, ["product.created"], connect=True)
    await product(shop)
    await shop.api.v1.products.create_async({"name": "Hers"}, {"stripe_account": other.id})
    await shop.emulator.webhooks.settled()
    assert [event["account"] for event in shop.mailbox.events] == [other.id]


async def test_events_are_listed_by_type_and_time(shop: Shop) -> None:
    await product(shop)
    await shop.pass_time(days=1)
    now = int(shop.clock.now().timestamp())
    await shop.price()
    listed = await shop.api.v1.events.list_async({"types": ["product.created", "price.created"], "created": {"gte": now}})
    assert [event.type for event in listed.data] == ["price.created", "product.created"]
    older = await shop.api.v1.events.list_async({"ending_before": listed.data[1].id, "limit": 10})
    assert [event.type for event in older.data] == ["price.created"]
    with pytest.raises(stripe.InvalidRequestError):
        await shop.api.v1.events.list_async({"types": ["product.created"] * 21})


async def test_events_are_kept_for_thirty_days(shop: Shop) -> None:
    await product(shop)
    shop.clock.advance(timedelta(days=31))
    assert (await shop.api.v1.events.list_async()).data == []


async def test_the_redirect_waits_until_the_shop_has_heard(shop: Shop) -> None:
    await shop.listen("checkout.session.completed")
    session = await shop.session(await shop.price())
    await shop.people.pay(session.id)
    assert shop.mailbox.types() == ["checkout.session.completed"]
