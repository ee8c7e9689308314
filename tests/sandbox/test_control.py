"""The sandbox's own address: what it does when asked, and what it says when asked for nonsense."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.clock import DEFAULT_START, VirtualClock
from sandbox.control import Control
from sandbox.faults import FaultKind
from sandbox.wire import Wire, serve


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def control(clock: VirtualClock, wire: Wire) -> AsyncIterator[aiohttp.ClientSession]:
    async with serve(Control(clock, wire).app()) as url, aiohttp.ClientSession(url) as session:
        yield session


async def ask(control: aiohttp.ClientSession, path: str, body: str) -> tuple[int, Any]:
    async with control.post(path, data=body) as answer:
        return answer.status, await answer.json()


async def test_time_moves_by_days_and_seconds_together(control: aiohttp.ClientSession, clock: VirtualClock) -> None:
    status, told = await ask(control, "/advance", '{"days": 1.5, "seconds": 30}')
    assert (status, told) == (200, {"now": clock.now().isoformat()})
    assert (clock.now() - DEFAULT_START).total_seconds() == 1.5 * 86_400 + 30


async def test_a_fault_is_put_in_force_listed_and_lifted(control: aiohttp.ClientSession, wire: Wire) -> None:
    status, _ = await ask(control, "/faults", '{"service": "stripe", "kind": "drop", "route": "WEBHOOK invoice[.]", "times": null}')
    assert status == 200
    fault = wire.faults.take("stripe", "WEBHOOK invoice.paid")
    assert fault is not None
    assert (fault.kind, fault.times) == (FaultKind.DROP, None)
    async with control.get("/faults") as answer:
        assert [rule["route"] for rule in (await answer.json())["rules"]] == ["WEBHOOK invoice[.]"]
    async with control.delete("/faults") as answer:
        assert await answer.json() == {"rules": []}
    assert wire.faults.take("stripe", "WEBHOOK invoice.paid") is None


NONSENSE_FAULTS = {
    '{"service": "paypal", "kind": "429"}': "“service” should be 'discord' or 'stripe'.",
    '{"service": "stripe", "kind": "gremlins"}': "“kind” should be '429', '5xx', 'timeout_before'",
    '{"service": "stripe", "kind": "429", "time": 3}': "There is no “time” to give here; there is service, kind, route, times",
    '{"service": "stripe", "kind": "429", "times": -3}': "“times” should be greater than or equal to 1.",
    '{"service": "stripe", "kind": "429", "times": true}': "“times” should be a valid integer.",
    '{"service": "stripe", "kind": "5xx", "status": 200}': "“status” should be greater than or equal to 500.",
    '{"service": "stripe", "kind": "429", "route": "("}': "“route” is no regular expression: missing )",
    '{"service": "discord", "kind": "drop"}': "“drop” happens to webhooks, and Discord sends none.",
    '{"service": "stripe", "kind": "delay", "seconds": 1e300}': "“seconds” should be less than or equal to",
    '{"kind": "429"}': "“service” is missing.",
    "[]": "What is asked should be an object.",
    "kind=429": "That is not JSON: expected value at line 1 column 1.",
}


@pytest.mark.parametrize(("body", "said"), NONSENSE_FAULTS.items())
async def test_a_fault_that_makes_no_sense_is_refused_with_a_sentence(
    control: aiohttp.ClientSession, wire: Wire, body: str, said: str
) -> None:
    status, told = await ask(control, "/faults", body)
    assert status == 400
    assert len(told["errors"]) == 1
    assert said in told["errors"][0]
    assert wire.faults.rules == []


async def test_everything_that_is_wrong_is_said_at_once(control: aiohttp.ClientSession) -> None:
    _, told = await ask(control, "/faults", '{"service": "paypal", "kind": "429", "times": 0, "colour": "red"}')
    assert len(told["errors"]) == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"days": 1e12}', "“days” should be less than or equal to 36525."),
        ('{"days": 36525}', "The sandbox's time ends with the year 2099; it is 2026-11-02 now."),
        ('{"days": -1}', "“days” should be greater than or equal to 0."),
        ('{"days": "two"}', "“days” should be a valid number."),
        ('{"weeks": 1}', "There is no “weeks” to give here; there is days, seconds."),
        ("", "Say how far: “days”, “seconds” or both, more than 0."),
    ],
)
async def test_time_that_makes_no_sense_is_refused_with_a_sentence(
    control: aiohttp.ClientSession, clock: VirtualClock, body: str, said: str
) -> None:
    assert await ask(control, "/advance", body) == (400, {"errors": [said]})
    assert clock.now() == DEFAULT_START
