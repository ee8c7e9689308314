"""Rate limits: so many calls a minute for each method and workspace, on a clock of one's choice."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import VirtualClock
from sandbox.faults import Fault, FaultKind
from sandbox.slack import SlackEmulator
from sandbox.slack.emulator import Limits
from sandbox.slack.ratelimits import TIERS, RateLimits
from tests.sandbox.slack.conftest import Rig, error_of


@pytest.fixture
def second(rig: Rig) -> Callable[[float], None]:
    """Switch limits on, on a clock of this test's own, and return what moves it."""
    at = [1000.0]
    rig.slack.limits.seconds = lambda: at[0]

    def move(seconds: float) -> None:
        at[0] += seconds

    return move


async def test_fifty_kicks_a_minute_then_a_429_that_says_how_long_to_wait(
    rig: Rig, client: AsyncWebClient, second: Callable[[float], None]
) -> None:
    for _ in range(50):
        assert await error_of(client.conversations_kick(channel=rig.gold.id, user=rig.bo.id(rig.acme))) == "not_in_channel"
        second(0.5)
    with pytest.raises(SlackApiError) as refused:
        await client.conversations_kick(channel=rig.gold.id, user=rig.bo.id(rig.acme))
    answer = refused.value.response
    assert (answer.status_code, answer.headers["Retry-After"], answer.data) == (429, "35", {"ok": False, "error": "ratelimited"})
    second(35)
    assert await error_of(client.conversations_kick(channel=rig.gold.id, user=rig.bo.id(rig.acme))) == "not_in_channel"
    assert await error_of(client.conversations_kick(channel=rig.gold.id, user=rig.bo.id(rig.acme))) == "ratelimited"


async def test_each_method_and_each_workspace_counts_for_itself(rig: Rig, client: AsyncWebClient, second: Callable[[float], None]) -> None:
    second(0)
    other = AsyncWebClient(
        rig.slack.people.install(rig.slack.people.workspace(rig.ann, "Other")), base_url=rig.served.api_url, retry_handlers=[]
    )
    for _ in range(20):
        await client.users_list()
    assert await error_of(client.users_list()) == "ratelimited"
    await other.users_list()
    await client.usergroups_list()


async def test_one_message_a_second_in_each_channel(rig: Rig, client: AsyncWebClient, second: Callable[[float], None]) -> None:
    await client.chat_postMessage(channel=rig.gold.id, text="one")
    assert await error_of(client.chat_postMessage(channel=rig.gold.id, text="two")) == "ratelimited"
    await client.chat_postMessage(channel=rig.bo.id(rig.acme), text="elsewhere")
    second(1)
    await client.chat_postMessage(channel=rig.gold.id, text="two")


async def test_the_sdks_own_retry_handler_gets_through_an_injected_429(rig: Rig) -> None:
    rig.slack.wire.faults.add(Fault("slack", FaultKind.RATE_LIMITED, "POST /auth.test", retry_after=1))
    handlers: list[AsyncRetryHandler] = [AsyncRateLimitErrorRetryHandler(max_retry_count=1)]
    client = AsyncWebClient(rig.token, base_url=rig.served.api_url, retry_handlers=handlers)
    assert (await client.auth_test())["team_id"] == rig.acme.id
    assert (rig.slack.wire.faults.taken["slack 429"], rig.slack.rest.count("auth.test")) == (1, 1)


@pytest.mark.parametrize(("limits", "refused"), [("virtual", True), ("off", False)])
def test_limits_count_on_the_clock_they_are_given(limits: Limits, refused: bool) -> None:  # noqa: FBT001 - a parameter of the test
    clock = VirtualClock()
    slack = SlackEmulator(clock, limits=limits)
    for _ in range(20):
        assert slack.limits.take("users.list", "2", "T1") == 0
    assert (slack.limits.take("users.list", "2", "T1") > 0) is refused
    clock.advance(timedelta(minutes=1))
    assert slack.limits.take("users.list", "2", "T1") == 0


@given(steps=st.lists(st.floats(0, 20), max_size=200), tier=st.sampled_from(["2", "3", "4"]))
def test_in_no_minute_are_more_calls_let_through_than_the_tier_says(steps: list[float], tier: str) -> None:
    at = [0.0]
    limits = RateLimits(lambda: at[0])
    passed: list[float] = []
    for step in steps:
        at[0] += step
        wait = limits.take("method", tier, "T1")
        if not wait:
            passed.append(at[0])
        else:
            assert 1 <= wait <= 60
    for moment in passed:
        assert sum(moment - 60 < one <= moment for one in passed) <= TIERS[tier]


@given(tier=st.sampled_from(["2", "3", "4"]), early=st.integers(0, 200))
def test_whoever_waits_as_told_is_let_in(tier: str, early: int) -> None:
    at = [0.0]
    limits = RateLimits(lambda: at[0])
    counts: Counter[bool] = Counter()
    for _ in range(early):
        counts[limits.take("method", tier, "T1") == 0] += 1
    wait = limits.take("method", tier, "T1")
    at[0] += wait
    assert (limits.take("method", tier, "T1") == 0) or not wait
    assert counts[True] == min(early, TIERS[tier])
