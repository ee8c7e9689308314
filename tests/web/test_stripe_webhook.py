import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping

import pytest
from sqlmodel import select

from billing.webhook import StripeWebhooks
from core.ids import EndpointId, Ids
from sandbox.clock import VirtualClock
from sandbox.mark import MARK
from storage import stripe_accounts, webhook_endpoints
from storage.database import Database
from storage.inbox import Busy, GroupCommit, InboxRow
from storage.stripe_accounts import ENVIRONMENT
from storage.webhook_endpoints import WebhookEndpointRow
from tests.web.fakes import FakeWebhooks
from tests.web.site import Site, Visitor

SECRET, OTHERS = f"whsec_of_the_environment_{MARK}", f"whsec_of_somebody_else_{MARK}"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "invoice.paid",
    "api_version": "2026-10-28.endive",
    "livemode": False,
    "created": 1,
    "data": {"object": {"id": "in_1"}},
}
BODY = json.dumps(EVENT).encode()
PATH = "/webhooks/stripe"


def sign(body: bytes = BODY, secret: str = SECRET, *, at: float | None = None, scheme: str = "v1") -> dict[str, str]:
    moment = int(time.time() if at is None else at)  # noqa: TID251 - a signature's age is real time
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={moment},{scheme}={signature}"}


@pytest.fixture
async def shop(sqlite_database: Database, clock: VirtualClock, ids: Ids) -> AsyncIterator[Site]:
    """The site with the real receiver of webhooks, for the environment's endpoint and one more."""
    async with sqlite_database.transaction() as session:
        await stripe_accounts.ensure_environment(session, clock.now())
        await webhook_endpoints.ensure_environment(session, clock.now())
        session.add(
            WebhookEndpointRow(
                id=EndpointId("second"), stripe_account_id=ENVIRONMENT, path="r4nd0m", secrets=OTHERS, created_at=clock.now()
            )
        )
    async with GroupCommit(sqlite_database) as group:
        webhooks = StripeWebhooks(
            db=sqlite_database,
            clock=clock,
            ids=ids,
            group=group,
            environment_secrets=[SECRET],
            unix_now=time.time,  # noqa: TID251 - as above
        )
        site = Site(sqlite_database, clock, ids, webhooks=webhooks)
        async with site.open():
            yield site


async def stored(site: Site) -> list[InboxRow]:
    async with site.db.reading() as session:
        return list((await session.exec(select(InboxRow))).all())


async def deliver(site: Site, body: bytes = BODY, headers: Mapping[str, str] | None = None, path: str = PATH) -> int:
    async with site.visitor() as stripe:
        answer = await stripe.request("POST", path, data=body, headers=sign(body) if headers is None else headers)
    return answer.status


async def test_a_signed_event_is_stored_as_it_came_and_answered_200(shop: Site) -> None:
    assert await deliver(shop) == 200
    (row,) = await stored(shop)
    assert (row.event_id, row.payload) == ("evt_1", BODY)


async def test_a_second_delivery_is_answered_200_and_stored_once(shop: Site) -> None:
    assert [await deliver(shop) for _ in range(3)] == [200, 200, 200]
    assert len(await stored(shop)) == 1


async def test_an_endpoint_of_its_own_takes_its_own_secret_only(shop: Site) -> None:
    assert await deliver(shop, headers=sign(secret=OTHERS), path=f"{PATH}/r4nd0m") == 200
    assert await deliver(shop, headers=sign(secret=SECRET), path=f"{PATH}/r4nd0m") == 400
    assert await deliver(shop, headers=sign(secret=OTHERS)) == 400
    assert len(await stored(shop)) == 1


async def test_an_address_nobody_was_given_is_not_found(shop: Site) -> None:
    assert await deliver(shop, path=f"{PATH}/guessed") == 404
    assert not await stored(shop)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY, {"Stripe-Signature": ""}),
        (BODY, {"Stripe-Signature": "t=,v1="}),
        (BODY, {"Stripe-Signature": "t=1" * 3000}),
        (BODY, sign(secret="whsec_wrong")),
        (BODY, sign(secret="")),
        (BODY, sign(scheme="v0")),
        (BODY, sign(b"another body")),
        (BODY, sign(at=time.time() - 301)),  # noqa: TID251 - as above
        (BODY, sign(at=time.time() + 86_400)),  # noqa: TID251 - as above; far enough for a slow run to stay behind it
        (b"", sign(b"")),
        (b"{bad", sign(b"{bad")),
        (b"[1]", sign(b"[1]")),
        (b"null", sign(b"null")),
        (b"\xff\xfe", sign(b"\xff\xfe")),
        (b"[" * 100_000, sign(b"[" * 100_000)),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_what_is_not_a_signed_event_is_refused_and_leaves_no_row(shop: Site, body: bytes, headers: dict[str, str]) -> None:
    assert await deliver(shop, body, headers) == 400
    assert not await stored(shop)


async def test_two_signatures_are_none(shop: Site) -> None:
    async with shop.visitor() as stripe:
        session = stripe._session
        pairs = [("Stripe-Signature", sign()["Stripe-Signature"]), ("Stripe-Signature", "t=1,v1=0")]
        async with session.post(shop.base + PATH, data=BODY, headers=pairs) as answer:
            assert answer.status == 400
    assert not await stored(shop)


async def test_a_body_beyond_a_mebibyte_is_refused_before_it_is_looked_at(site: Site, fan: Visitor) -> None:
    assert isinstance(site.webhooks, FakeWebhooks)
    large = b"x" * (1024 * 1024)
    assert (await fan.request("POST", PATH, data=large, headers=sign(large))).status == 200
    assert (await fan.request("POST", PATH, data=large + b"x", headers=sign(large))).status == 413
    assert len(site.webhooks.received) == 1


@pytest.mark.parametrize("trouble", [Busy("too many"), OSError("disk full")])
async def test_what_cannot_be_stored_now_is_to_be_sent_again(site: Site, fan: Visitor, trouble: Exception) -> None:
    assert isinstance(site.webhooks, FakeWebhooks)
    site.webhooks.answer = trouble
    answer = await fan.request("POST", PATH, data=BODY)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_a_bug_of_ours_is_never_taken_for_an_answer(site: Site, fan: Visitor) -> None:
    assert isinstance(site.webhooks, FakeWebhooks)
    site.webhooks.answer = KeyError("bug")
    answer = await fan.request("POST", PATH, data=BODY)
    assert answer.status == 500
    assert "reference" in answer.text


async def test_the_bytes_go_on_as_they_came_with_the_name_of_their_endpoint(site: Site, fan: Visitor) -> None:
    assert isinstance(site.webhooks, FakeWebhooks)
    body = b'{"a":  1}\r\n\xc3\xa9'
    await fan.request("POST", PATH, data=body, headers={"Stripe-Signature": "s", "Content-Type": "application/json; charset=latin-1"})
    await fan.request("POST", f"{PATH}/r4nd0m", data=body)
    assert site.webhooks.received == [("", body, "s"), ("r4nd0m", body, None)]


async def test_only_posts_are_deliveries(fan: Visitor) -> None:
    answer = await fan.get(PATH)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
