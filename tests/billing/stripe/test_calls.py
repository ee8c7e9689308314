import asyncio
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from socket import SO_LINGER, SOL_SOCKET

import pytest
import stripe
from aiohttp import web

from billing.stripe.accounts import GatewayPool
from billing.stripe.events import API_VERSION
from billing.stripe.skew import Skew
from core.clock import Clock
from core.errors import PermanentError, RateLimited, TransientError
from core.payments import PaymentGateway
from sandbox.clock import VirtualClock
from sandbox.mark import MARK
from sandbox.wire import hang_up
from tests.billing.stripe.conftest import ACCOUNT, Script, refuses, says

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OLD, NEW = f"sk_test_old{MARK}", f"sk_test_new{MARK}"


class FixedClock:
    def now(self) -> datetime:
        return NOW

    async def sleep_until(self, moment: datetime) -> None:
        raise AssertionError(moment)


CLOCK: Clock = FixedClock()


@pytest.fixture
async def pool(script: Script) -> AsyncIterator[GatewayPool]:
    async with GatewayPool(CLOCK, api_url=script.url, timeout=5, retries=0) as pool:
        yield pool


async def test_every_request_asks_for_our_version(script: Script, pool: GatewayPool) -> None:
    await pool.gateway([NEW]).account()

    assert script.heads("Stripe-Version") == [API_VERSION]


def test_our_version_is_the_librarys_own() -> None:
    assert stripe.api_version == API_VERSION


async def test_a_change_carries_our_key_and_a_question_none(script: Script, pool: GatewayPool) -> None:
    script.answers = [says({"id": "cus_1", "object": "customer"}), says(ACCOUNT)]
    gateway: PaymentGateway = pool.gateway([NEW])

    assert await gateway.create_customer("Ann", {}, key="customer:1") == "cus_1"
    await gateway.account()

    assert script.heads("Idempotency-Key") == ["customer:1", None]


async def test_a_connected_account_is_named_in_each_call(script: Script, pool: GatewayPool) -> None:
    await pool.gateway([NEW], "acct_9").account()
    await pool.gateway([NEW]).account()

    assert script.heads("Stripe-Account") == ["acct_9", None]


async def test_nothing_is_told_about_the_machine(script: Script, pool: GatewayPool) -> None:
    for _ in range(2):
        await pool.gateway([NEW]).account()

    assert script.heads("X-Stripe-Client-Telemetry") == [None, None]
    assert "telemetry_id" not in (script.heads("X-Stripe-Client-User-Agent")[0] or "")


async def test_a_refused_key_gives_way_to_the_next_which_is_remembered(script: Script, pool: GatewayPool) -> None:
    script.answers = [refuses(401), says(ACCOUNT)]

    await pool.gateway([OLD, NEW]).account()
    await pool.gateway([OLD, NEW]).account()
    await pool.gateway([OLD, NEW], "acct_9").account()

    assert script.heads("Authorization") == [f"Bearer {OLD}"] + [f"Bearer {NEW}"] * 3


async def test_calls_at_once_agree_on_the_key(script: Script, pool: GatewayPool) -> None:
    async def by_key(request: web.Request) -> web.StreamResponse:
        return await (says(ACCOUNT) if request.headers["Authorization"].endswith(NEW) else refuses(401))(request)

    script.answers = [by_key]
    gateway = pool.gateway([OLD, NEW])

    await asyncio.gather(*(gateway.account() for _ in range(5)))
    script.asked.clear()
    await gateway.account()

    assert script.heads("Authorization") == [f"Bearer {NEW}"]


async def test_when_no_key_is_good_the_operator_is_told_without_the_key(script: Script, pool: GatewayPool) -> None:
    script.answers = [refuses(401, "api_key_expired")]

    with pytest.raises(PermanentError) as refused:
        await pool.gateway([OLD, NEW]).account()

    assert len(script.asked) == 2
    assert refused.value.code == "api_key_expired"
    assert isinstance(refused.value.__cause__, stripe.AuthenticationError)
    assert "sk_" not in str(refused.value)


async def test_only_a_refused_key_tries_the_next(script: Script, pool: GatewayPool) -> None:
    script.answers = [refuses(403, "account_invalid")]

    with pytest.raises(PermanentError) as refused:
        await pool.gateway([OLD, NEW]).account()

    assert refused.value.code == "account_invalid"
    assert len(script.asked) == 1


def test_an_account_without_a_key_is_for_the_operator() -> None:
    with pytest.raises(PermanentError):
        GatewayPool(CLOCK).gateway([])


async def test_too_many_waits_as_long_as_told_and_tries_no_more_by_itself(script: Script) -> None:
    script.answers = [refuses(429, "rate_limit", Retry_After="3")]
    async with GatewayPool(CLOCK, api_url=script.url, retries=2) as pool:
        with pytest.raises(RateLimited) as told:
            await pool.gateway([NEW]).account()

    assert told.value.retry_after == 3
    assert len(script.asked) == 1


async def test_a_failing_server_is_tried_again_under_the_same_key(script: Script) -> None:
    script.answers = [refuses(500), says({"id": "cus_1", "object": "customer"})]
    async with GatewayPool(CLOCK, api_url=script.url, retries=1) as pool:
        assert await pool.gateway([NEW]).create_customer("Ann", {}, key="customer:1") == "cus_1"

    assert script.heads("Idempotency-Key") == ["customer:1", "customer:1"]


async def test_it_gives_up_when_the_server_keeps_failing(script: Script, pool: GatewayPool) -> None:
    script.answers = [refuses(503)]

    with pytest.raises(TransientError):
        await pool.gateway([NEW]).account()


async def test_a_silent_server_is_left_after_the_timeout(script: Script) -> None:
    released = asyncio.Event()

    async def silent(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response()

    script.answers = [silent]
    async with GatewayPool(CLOCK, api_url=script.url, timeout=0.05, retries=0) as pool:
        with pytest.raises(TransientError):
            await pool.gateway([NEW]).account()
    released.set()


async def test_a_connection_that_breaks_is_worth_another_try(script: Script, pool: GatewayPool) -> None:
    async def gone(request: web.Request) -> web.Response:
        return hang_up(request)

    script.answers = [gone]

    with pytest.raises(TransientError):
        await pool.gateway([NEW]).account()


async def half(request: web.Request) -> web.StreamResponse:
    """Promise a hundred bytes, send nine, and reset the connection."""
    response = web.StreamResponse(headers={"Content-Length": "100", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"id": "a')
    assert request.transport is not None
    request.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()
    return response


async def test_an_answer_that_breaks_off_is_worth_another_try(script: Script, pool: GatewayPool) -> None:
    script.answers = [half]

    with pytest.raises(TransientError):
        await pool.gateway([NEW]).account()


async def test_an_answer_that_breaks_off_is_tried_again_at_once(script: Script) -> None:
    script.answers = [half, says(ACCOUNT)]
    async with GatewayPool(CLOCK, api_url=script.url, retries=1) as pool:
        assert (await pool.gateway([NEW]).account()).external_id == "acct_1"


async def test_an_answer_that_is_no_json_is_worth_another_try(script: Script, pool: GatewayPool) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>Bad gateway")

    script.answers = [page]

    with pytest.raises(TransientError):
        await pool.gateway([NEW]).account()


async def test_nobody_there_is_worth_another_try(unused_tcp_port: int) -> None:
    async with GatewayPool(CLOCK, api_url=f"http://127.0.0.1:{unused_tcp_port}", retries=0) as pool:
        with pytest.raises(TransientError):
            await pool.gateway([NEW]).account()


@pytest.mark.parametrize(("key", "live"), [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False)])
async def test_the_key_says_whether_money_is_real(pool: GatewayPool, key: str, *, live: bool) -> None:
    assert (await pool.gateway([key]).account()).livemode is live


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=3), timedelta(minutes=-3)])
async def test_skew_is_our_clock_minus_stripes(script: Script, pool: GatewayPool, ahead: timedelta) -> None:
    script.answers = [says(ACCOUNT, Date=format_datetime(NOW - ahead, usegmt=True))]

    assert abs(await pool.gateway([NEW]).skew() - ahead) <= timedelta(seconds=1)


async def test_any_answer_tells_the_time_and_no_other_is_asked_for(script: Script, pool: GatewayPool) -> None:
    script.answers = [says(ACCOUNT, Date=format_datetime(NOW + timedelta(minutes=5), usegmt=True)), refuses(403)]
    gateway = pool.gateway([NEW])
    await gateway.account()

    assert abs(await gateway.skew() + timedelta(minutes=5)) <= timedelta(seconds=1)
    assert len(script.asked) == 1


async def test_without_an_answer_of_late_the_time_is_asked_with_what_catch_up_may_read(script: Script, pool: GatewayPool) -> None:
    script.answers = [says({"object": "list", "data": [], "has_more": False}, Date=format_datetime(NOW, usegmt=True))]

    await pool.gateway([NEW]).skew()

    assert [request.path for request in script.asked] == ["/v1/events"]


async def test_what_an_answer_told_holds_for_a_minute_and_not_across_a_jump() -> None:
    clock = VirtualClock(NOW)
    skew, headers = Skew(clock), {"Date": format_datetime(NOW, usegmt=True)}
    skew.note(skew.asked_at(), headers)
    clock.advance(timedelta(minutes=1))
    assert skew.known() is not None
    clock.advance(timedelta(seconds=1))
    assert skew.known() is None
    asked_at = skew.asked_at()
    clock.advance(timedelta(hours=1))
    skew.note(asked_at, headers)
    assert skew.known() is None


async def test_an_id_of_another_kind_is_not_asked_about(script: Script, pool: GatewayPool) -> None:
    gateway = pool.gateway([NEW])
    for ask in (gateway.checkout, gateway.subscription, gateway.invoice, gateway.payment, gateway.expire_checkout):
        for external_id in ("", "prod_1"):
            with pytest.raises(PermanentError) as refused:
                await ask(external_id)
            assert refused.value.code == "resource_missing"

    assert script.asked == []


async def test_gateways_are_kept_by_account_and_keys(pool: GatewayPool) -> None:
    assert pool.gateway([NEW], "acct_9") is pool.gateway([NEW], "acct_9")
    assert pool.gateway([NEW], "acct_9") is not pool.gateway([NEW])
    assert pool.gateway([NEW]) is not pool.gateway([OLD])


async def test_a_pool_never_used_closes_without_opening_anything() -> None:
    async with GatewayPool(CLOCK):
        pass
