import asyncio
from collections.abc import Hashable

import pytest

from core.pump import Found, pump


async def test_what_is_slow_does_not_hold_up_what_comes_after() -> None:
    woken, slow, quick = asyncio.Event(), asyncio.Event(), asyncio.Event()
    waiting: dict[Hashable, asyncio.Event] = {"slow": slow}

    async def job(key: Hashable) -> None:
        if key == "slow":
            await slow.wait()
        else:
            quick.set()
        waiting.pop(key)

    async def find(busy: frozenset[Hashable]) -> Found:
        return Found({key: job(key) for key in waiting if key not in busy})

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        pumping = group.create_task(pump(find, woken))
        await asyncio.sleep(0)
        waiting["quick"] = quick
        woken.set()
        await quick.wait()
        assert not pumping.done()
        slow.set()
        await pumping
    assert waiting == {}


async def test_nothing_is_started_twice_at_the_same_time() -> None:
    woken, started, release = asyncio.Event(), 0, asyncio.Event()
    due = True

    async def job() -> None:
        nonlocal started, due
        started += 1
        await release.wait()
        due = False

    async def find(busy: frozenset[Hashable]) -> Found:
        return Found({"one": job()} if due and "one" not in busy else {})

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(pump(find, woken))
        for _ in range(5):
            woken.set()
            await asyncio.sleep(0)
        release.set()
    assert started == 1


async def test_an_error_ends_the_pump_and_is_not_lost() -> None:
    async def job() -> None:
        raise ValueError("poison")

    async def find(busy: frozenset[Hashable]) -> Found:
        return Found({} if busy else {"one": job()})

    with pytest.raises(ExceptionGroup) as raised:
        await pump(find, asyncio.Event())
    assert raised.group_contains(ValueError, match="poison")


async def test_a_pump_with_nothing_to_do_returns() -> None:
    async def find(_: frozenset[Hashable]) -> Found:
        return Found({})

    async with asyncio.timeout(1):
        await pump(find, asyncio.Event())


async def test_what_had_to_be_left_is_started_as_soon_as_there_is_room() -> None:
    left, done = [1, 2, 3], []

    async def job(number: int) -> None:
        done.append(number)

    async def find(busy: frozenset[Hashable]) -> Found:
        if busy or not left:
            return Found({}, more=bool(left))
        number = left.pop(0)
        return Found({number: job(number)}, more=bool(left))

    async with asyncio.timeout(0.9):
        await pump(find, asyncio.Event())
    assert done == [1, 2, 3]
