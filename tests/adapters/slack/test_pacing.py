"""Never more than the limit in any window, first come first served, and a pause holds back one bucket alone."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.slack.pacing import Pacer
from adapters.slack.tiers import TIER_3
from core.ids import PlatformUserId
from sandbox.clock import VirtualClock
from sandbox.slack import Plan
from tests.adapters.slack.emulated import Emulated, Hurry

KICKS = 1000


@given(st.lists(st.integers(0, 20) | st.floats(0, 20), min_size=1, max_size=60), st.integers(1, 7))
@example([*[0] * 6, 16.366201495293836, 0, 0, 0], 2)  # differences of such moments round to less than a minute
async def test_no_window_ever_holds_more_than_the_limit(pauses: list[float], most: int) -> None:
    time = Hurry()
    pacer = time.pacer()
    moments = []
    for pause in pauses:
        async with pacer.turn(("T", "m"), most, 60):
            moments.append(time.now)
        time.now += pause

    assert all(later >= earlier + 60 for earlier, later in zip(moments, moments[most:], strict=False))


async def test_a_turn_is_counted_from_the_answer_not_from_the_question() -> None:
    time = Hurry()
    pacer = time.pacer()
    async with pacer.turn(("T", "m"), 1, 60):
        time.now += 30

    async with pacer.turn(("T", "m"), 1, 60):
        assert time.now == 90


async def test_others_need_not_wait_for_a_bucket_that_is_paused() -> None:
    time = Hurry()
    pacer = time.pacer()
    pacer.pause(("T", "slow"), 30)

    async with pacer.turn(("T", "quick"), 1), pacer.turn(("U", "slow"), 1):
        assert time.now == 0
    async with pacer.turn(("T", "slow"), 1):
        assert time.now == 30


async def test_who_gives_up_waiting_takes_no_turn_with_them() -> None:
    pacer = Pacer()
    async with pacer.turn(("T", "m"), 1, 0.05):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), pacer.turn(("T", "m"), 1, 0.05):
                raise AssertionError
    async with asyncio.timeout(5), pacer.turn(("T", "m"), 1, 0.05):
        pass


async def test_a_thousand_kicks_go_at_nine_tenths_of_the_limit_and_none_is_turned_away(clock: VirtualClock) -> None:
    async def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    pacer = Pacer(lambda: clock.now().timestamp(), sleep)
    world = Emulated(clock, plan=Plan.PRO, limits="virtual", pacer=pacer)
    fans = [PlatformUserId(f"U{number:06}") for number in range(KICKS)]
    for fan in fans:
        world.lodge(fan, world.rooms["gold"])
    async with world.serving() as served:
        began = clock.now()
        for fan in fans:
            await served.adapter.revoke(world.resource, fan, reason="ended")
        minutes = (clock.now() - began) / timedelta(minutes=1)

    assert not set(fans) & world.rooms["gold"].members.keys()
    assert world.emulator.limits.refused == 0
    assert world.emulator.rest.count("conversations.kick") == KICKS
    assert (KICKS - TIER_3) / minutes >= 0.9 * TIER_3
