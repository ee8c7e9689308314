from collections.abc import AsyncIterator

import pytest

from sandbox.clock import VirtualClock
from tests.adapters.contract import PlatformContract
from tests.adapters.discord.emulated import Emulated


class TestDiscord(PlatformContract):
    @pytest.fixture
    async def world(self, clock: VirtualClock) -> AsyncIterator[Emulated]:
        async with Emulated(clock).connected() as emulated:
            yield emulated
