from collections.abc import AsyncIterator

import pytest

from sandbox.clock import VirtualClock
from sandbox.discord import permissions
from tests.adapters.contract import PlatformContract, World
from tests.adapters.discord.emulated import ALLOWED, Emulated


class TestDiscord(PlatformContract):
    @pytest.fixture
    async def world(self, clock: VirtualClock) -> AsyncIterator[Emulated]:
        async with Emulated(clock).connected() as emulated:
            yield emulated

    async def test_a_withdrawn_invite_lets_nobody_in_and_may_be_withdrawn_again(self, world: World) -> None:
        assert isinstance(world, Emulated)
        world.server.change_role(world.server.bot_role, permissions=ALLOWED | permissions.MANAGE_GUILD)
        await super().test_a_withdrawn_invite_lets_nobody_in_and_may_be_withdrawn_again(world)
