"""Rate limits: what the headers say, who waits, and what happens to those who do not."""

import asyncio
from collections.abc import Callable

import aiohttp
import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import VirtualClock
from sandbox.discord import DiscordEmulator
from sandbox.discord.emulator import Limits
from sandbox.discord.ratelimits import RateLimits
from sandbox.faults import Fault, FaultKind
from tests.sandbox.discord.conftest import Api, Connect, Rig


@pytest.fixture
def second(rig: Rig) -> Callable[[float], None]:
    """Switch limits on, on a clock of this test's own, and return what moves it."""
    at = [1000.0]
    rig.discord.limits.seconds = lambda: at[0]

    def move(seconds: float) -> None:
        at[0] += seconds

    return move


def gold(rig: Rig) -> str:
    return f"/guilds/{rig.server.id}/members/{rig.ann.id}/roles/{rig.server.role('Gold').id}"


async def test_ten_roles_per_window_then_a_429_that_says_how_long_to_wait(rig: Rig, api: Api, second: Callable[[float], None]) -> None:
    for left in range(9, -1, -1):
        assert (await api("PUT", gold(rig)))[0] == 204
        assert (api.headers["X-RateLimit-Limit"], api.headers["X-RateLimit-Remaining"]) == ("10", str(left))
    second(4)
    status, body = await api("PUT", gold(rig))
    assert (status, body["retry_after"], body["global"], body["code"]) == (429, 6.0, False, 0)
    assert {"Via", "Retry-After", "X-RateLimit-Bucket", "X-RateLimit-Reset", "X-RateLimit-Reset-After"} <= set(api.headers)
    assert (api.headers["X-RateLimit-Remaining"], api.headers["X-RateLimit-Scope"]) == ("0", "user")
    second(6)
    assert (await api("PUT", gold(rig)))[0] == 204


async def test_each_server_has_a_bucket_of_its_own_and_both_ways_share_it(rig: Rig, api: Api, second: Callable[[float], None]) -> None:
    second(0)
    for method in ("PUT", "DELETE") * 5:
        assert (await api(method, gold(rig)))[0] == 204
    assert (await api("DELETE", gold(rig)))[0] == 429
    other = rig.discord.people.guild(rig.ann, "Other", roles=["Gold"])
    await rig.discord.people.add_bot(other, 1 << 28)
    assert (await api("PUT", f"/guilds/{other.id}/members/{rig.ann.id}/roles/{other.role('Gold').id}"))[0] == 204


async def test_fifty_a_second_for_the_bot_and_answers_to_interactions_do_not_count(
    rig: Rig, api: Api, second: Callable[[float], None]
) -> None:
    rig.discord.limits.buckets["default"] = (1000, 1.0)
    for number in range(60):
        assert (await api("POST", f"/interactions/1/token{number}/callback", {"type": 5}))[0] == 404
    for _ in range(50):
        assert (await api("GET", "/users/@me"))[0] == 200
    status, body = await api("GET", "/users/@me")
    assert (status, body["global"]) == (429, True)
    assert (api.headers["X-RateLimit-Global"], api.headers["X-RateLimit-Scope"]) == ("true", "global")
    second(1)
    assert (await api("GET", "/users/@me"))[0] == 200


async def test_a_person_is_not_counted_with_the_bot(rig: Rig, api: Api, second: Callable[[float], None]) -> None:
    second(0)
    oauth = rig.discord.model.oauth
    token = oauth.exchange(oauth.grant(rig.ann.id, ("identify",), "x"), "x").access_token
    rig.discord.limits.buckets["default"] = (50, 1.0)
    for _ in range(50):
        assert (await api("GET", "/users/@me"))[0] == 200
    assert (await api("GET", "/users/@me", Authorization=f"Bearer {token}"))[1]["username"] == "ann"
    assert (await api("GET", "/users/@me"))[0] == 429


async def test_while_discord_is_down_every_call_fails_and_afterwards_the_client_finds_back(rig: Rig, connect: Connect, api: Api) -> None:
    bot = await connect()
    async with rig.discord.outage():
        assert (await api("GET", "/users/@me"))[0] == 503
        rig.server.add_role("Meanwhile")
        await bot.hears("disconnect")
    await bot.hears("guild_role_create")


async def test_too_many_invalid_requests_are_banned_without_via_until_the_window_is_over(
    rig: Rig, api: Api, second: Callable[[float], None]
) -> None:
    rig.discord.limits.invalid_limit = 3
    for _ in range(3):
        assert (await api("GET", "/users/@me", Authorization="Bot nonsense"))[0] == 401
    assert (await api("GET", "/users/@me")) == (429, None)
    assert "Via" not in api.headers
    assert api.headers["Retry-After"] == "601"
    second(600)
    assert (await api("GET", "/users/@me"))[0] == 200


async def test_the_client_waits_by_itself_and_loses_nothing(rig: Rig, connect: Connect) -> None:
    rig.discord.limits.buckets["member-roles"] = (5, 0.3)
    rig.discord.limits.seconds = asyncio.get_running_loop().time
    bot = await connect()
    roles = [rig.server.add_role(f"r{number}") for number in range(8)]
    rig.server.raise_bot()
    await asyncio.gather(*(bot.http.add_role(rig.server.id, rig.ann.id, role.id) for role in roles))
    assert len(rig.server.roles_of(rig.ann)) == 8


async def test_a_planned_429_is_retried_by_the_client_and_a_503_is_not(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    rig.discord.wire.faults.add(Fault("discord", FaultKind.RATE_LIMITED, "PUT .*/roles/", retry_after=0.05))
    await bot.http.add_role(rig.server.id, rig.ann.id, rig.server.role("Gold").id)
    rig.discord.wire.faults.add(Fault("discord", FaultKind.SERVER_ERROR, "PUT .*/roles/"))
    with pytest.raises(discord.DiscordServerError):
        await bot.http.add_role(rig.server.id, rig.ann.id, rig.server.role("Silver").id)
    assert rig.server.roles_of(rig.ann) == {"Gold"}


async def test_a_timeout_after_the_effect_leaves_the_effect(rig: Rig, connect: Connect) -> None:
    bot = await connect()
    # twice, since the client repeats an idempotent call once by itself
    rig.discord.wire.faults.add(Fault("discord", FaultKind.TIMEOUT_AFTER, "PUT .*/roles/", times=2))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bot.http.add_role(rig.server.id, rig.ann.id, rig.server.role("Gold").id)
    assert rig.server.roles_of(rig.ann) == {"Gold"}


@pytest.mark.parametrize(("limits", "refused"), [("virtual", True), ("off", False)])
def test_limits_count_on_the_sandboxs_clock_or_not_at_all(limits: Limits, refused: bool) -> None:  # noqa: FBT001 - a parameter of the test
    clock = VirtualClock()
    emulator = DiscordEmulator(clock, limits=limits)
    answers = [emulator.limits.take("member-roles", "1").refused is None for _ in range(11)]
    assert answers[:10] == [True] * 10
    assert answers[10] is not refused
    clock.advance(clock.now().resolution * 10_000_000)
    assert emulator.limits.take("member-roles", "1").refused is None


@given(st.lists(st.floats(0, 3, allow_nan=False), max_size=80))
def test_no_window_ever_lets_through_more_than_its_limit(pauses: list[float]) -> None:
    at = [0.0]
    limits = RateLimits(lambda: at[0], lambda: at[0], buckets={"b": (5, 2.0)}, global_limit=10_000)
    let: list[float] = []
    for pause in pauses:
        at[0] += pause
        verdict = limits.take("b", "x")
        if verdict.refused is None:
            let.append(at[0])
        else:
            assert 0 < verdict.refused["retry_after"] <= 2.0
    opened: list[float] = []
    for moment in let:
        if not opened or moment >= opened[0] + 2.0:
            opened = [moment]
        else:
            opened.append(moment)
        assert len(opened) <= 5
