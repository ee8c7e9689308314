import asyncio
from datetime import datetime, timedelta

import pytest

from billing import looks
from billing.looks import Looks
from sandbox.clock import VirtualClock

MOMENT = timedelta(milliseconds=1)


async def look(of: Looks, name: str, since: datetime | None) -> bool:
    """Say whether a look was made."""
    async with of.at(name, since) as asked_at:
        return asked_at is not None


async def test_a_look_answers_for_what_came_in_before_it_and_for_nothing_later(clock: VirtualClock) -> None:
    known = Looks(clock)
    before = clock.now()
    clock.advance(MOMENT)
    assert await look(known, "sub_1", before)
    assert "sub_1" in known
    assert not await look(known, "sub_1", before)
    assert await look(known, "sub_1", clock.now()), "it may have come in after the processor had answered"
    assert await look(known, "sub_2", before), "another one was never looked at"
    assert await look(known, "sub_1", None), "whoever does not say since when wants a fresh look"


async def test_whoever_comes_during_a_look_waits_for_it_and_takes_its_answer(clock: VirtualClock) -> None:
    known = Looks(clock)
    before = clock.now()
    clock.advance(MOMENT)
    async with known.at("sub_1", before) as asked_at:
        other = asyncio.get_running_loop().create_task(look(known, "sub_1", before))
        await asyncio.sleep(0)
        assert asked_at == clock.now()
        assert not other.done()
    assert not await other


async def test_a_look_that_failed_answers_for_nothing(clock: VirtualClock) -> None:
    known = Looks(clock)
    before = clock.now()
    clock.advance(MOMENT)
    with pytest.raises(OSError, match="no answer"):
        async with known.at("sub_1", before):
            raise OSError("no answer")
    assert await look(known, "sub_1", before)


async def test_the_oldest_are_forgotten(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "REMEMBERED", 2)
    known = Looks(clock)
    for name in ("sub_1", "sub_2", "sub_3"):
        await look(known, name, None)
    assert ("sub_1" in known, "sub_2" in known, "sub_3" in known) == (False, True, True)
