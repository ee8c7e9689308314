"""Never more than the slots in any window, bursts at once, and a pause holds back one bucket alone."""

import asyncio
import contextlib

from adapters.discord.pacing import EVERYTHING, Pacer

WINDOW = 0.1


async def taken(pacer: Pacer, bucket: str = "b") -> float:
    await pacer.take(bucket)
    at = asyncio.get_running_loop().time()
    pacer.give()
    return at


async def test_a_burst_up_to_the_slots_goes_out_at_once() -> None:
    pacer = Pacer(slots=10, window=60)

    async with asyncio.timeout(1):
        moments = [await taken(pacer) for _ in range(10)]

    assert moments[-1] - moments[0] < 1


async def test_no_window_ever_holds_more_than_the_slots() -> None:
    pacer = Pacer(slots=5, window=WINDOW)

    moments = sorted(await asyncio.gather(*(taken(pacer) for _ in range(23))))

    assert all(later - earlier >= WINDOW for earlier, later in zip(moments, moments[5:], strict=False))


async def test_a_slot_is_counted_from_the_answer_not_from_the_question() -> None:
    pacer = Pacer(slots=1, window=WINDOW)
    await pacer.take("b")
    await asyncio.sleep(WINDOW)
    pacer.give()
    answered = asyncio.get_running_loop().time()

    assert await taken(pacer) - answered >= WINDOW


async def test_a_paused_bucket_waits_and_the_others_do_not() -> None:
    pacer = Pacer()
    pacer.pause("slow", WINDOW)
    paused = asyncio.get_running_loop().time()

    other = await taken(pacer, "quick")
    slow = await taken(pacer, "slow")

    assert other - paused < WINDOW
    assert slow - paused >= WINDOW


async def test_a_global_pause_holds_everything() -> None:
    pacer = Pacer()
    pacer.pause(EVERYTHING, WINDOW)
    paused = asyncio.get_running_loop().time()

    assert await taken(pacer, "any") - paused >= WINDOW


async def test_who_gives_up_waiting_takes_no_slot_with_them() -> None:
    pacer = Pacer(slots=1, window=WINDOW)
    await taken(pacer)
    waiting = asyncio.ensure_future(pacer.take("b"))  # noqa: TID251 - to be cancelled
    await asyncio.sleep(0)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting

    async with asyncio.timeout(5):
        await taken(pacer)
